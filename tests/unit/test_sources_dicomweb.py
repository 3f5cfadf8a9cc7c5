"""`dicomweb:` against the static trees of `prepare` and of Static DICOMweb."""

from __future__ import annotations

import base64
import gzip
import json
import shutil

import httpx
import pytest

from firstlight.dicomweb.multipart import TAIL_BYTES, payload_stop, read_part_head
from firstlight.errors import MalformedDescriptor, NotDicom, TransportError
from firstlight.sources.dicomweb import DicomwebSource
from support.open_source import frame_bytes, open_source, open_with_notices
from support.recording_server import RecordingServer

STUDY = "1.3.6.1.4.1.14519.5.2.1.7009.2403.334240657131972136850343327463"
PET = "1.3.6.1.4.1.14519.5.2.1.7009.2403.879445243400782656317561081015"
SEGMENTATION = "1.2.276.0.7230010.3.1.3.0.25814.1661528447.504365"


@pytest.fixture(scope="module")
def tree(shared_data):
    with RecordingServer(shared_data / "dicomweb") as server:
        yield server


def frame_of(url: str) -> bytes:
    """The payload of a frame's resource, whole."""
    body = httpx.get(url).content
    head = read_part_head(body)
    return body[head.payload_start : payload_stop(head, body[-TAIL_BYTES:], len(body))]


def test_a_series_in_the_order_of_position(tree):
    tree.requests.clear()
    (series,) = open_source(f"dicomweb:{tree.data_url}studies/{STUDY}/series/{PET}")
    assert (series.modality, series.description, series.number) == ("PT", "PET AC", 1)
    assert (series.frames[0].coding.codec, series.reversible, len(series.frames)) == (
        "charls",
        True,
        135,
    )
    heights = [frame.image.image_position_patient[2] for frame in series.frames]
    assert heights == sorted(heights)
    extent = series.frames[0].extent
    assert (extent.framing, extent.start, extent.length) == ("multipart", 0, None)
    assert frame_of(extent.url).startswith(b"\xff\xd8\xff\xf7")
    tree.requests.wait_until_idle()
    assert len(tree.requests()) == 3  # metadata, the first bytes of one frame, and the test's own


def test_a_part_is_believed_before_the_metadata(tree):
    """These metadata say JPEG-LS; the frames are one bit a pixel, uncompressed."""
    (series,) = open_source(f"dicomweb:{tree.data_url}studies/{STUDY}/series/{SEGMENTATION}")
    assert (series.frames[0].coding.codec, len(series.frames)) == ("native-le", 58)
    extent = series.frames[0].extent
    assert extent.length == 128 * 128 // 8
    assert extent.level_ends == (extent.length,)
    assert len(frame_of(extent.url)) == extent.length


def test_a_study_and_an_instance(tree):
    found = open_source(f"dicomweb:{tree.data_url}studies/{STUDY}")
    assert [one.modality for one in found] == ["PT", "SEG"]
    url = found[0].frames[7].extent.url.removesuffix("/frames/1")
    (series,) = open_source(f"dicomweb:{url}")
    assert series.frames == (found[0].frames[7],)


def write_tree(folder, record: dict, frames: list[bytes]) -> str:
    """A tree of one instance, frames as files without any server behind them."""
    instance = folder / "studies/1.2/series/3.4/instances/5.6"
    (instance / "frames").mkdir(parents=True)
    for number, body in enumerate(frames, 1):
        (instance / "frames" / f"{number}.mht").write_bytes(body)
    text = json.dumps([record]).encode()
    (folder / "studies/1.2/series/3.4/metadata.gz").write_bytes(gzip.compress(text))
    return "studies/1.2/series/3.4"


def described(**changes) -> dict:
    record = {
        "00080018": {"Value": ["5.6"]},
        "0020000E": {"Value": ["3.4"]},
        "00280010": {"vr": "US", "Value": [2]},
        "00280011": {"vr": "US", "Value": [2]},
        "00280100": {"vr": "US", "Value": [16]},
    }
    return {**record, **{tag: {"Value": [value]} for tag, value in changes.items()}}


HTJ2K_START = bytes.fromhex("ff4fff5100294000") + bytes(28) + bytes.fromhex("00010f0101")


def opened(tmp_path, record, body):
    path = write_tree(tmp_path, record, [body])
    with RecordingServer(tmp_path) as server:
        return open_source(f"dicomweb:{server.data_url}{path}")


@pytest.mark.parametrize(
    ("told", "body", "codec", "framing"),
    [
        ("", HTJ2K_START, "openjph", ""),
        ("1.2.840.10008.1.2.4.202", HTJ2K_START, "openjph", ""),
        ("1.2.840.10008.1.2.4.80", HTJ2K_START, "openjph", ""),
        ("", b"--B\r\nContent-Type: image/jls\r\n\r\nxxxx\r\n--B--", "charls", "multipart"),
        (
            "",
            b"--B\r\nContent-Type: a/b; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n" + HTJ2K_START,
            "openjph",
            "multipart",
        ),
        ("1.2.840.10008.1.2.5", b"--B\r\nContent-Type: a/b\r\n\r\n\0\0", "rle", "multipart"),
        ("", b"--\x01\x02\x03\x04\x05\x06", "native-le", ""),
    ],
)
def test_the_coding_of_a_frame(tmp_path, told, body, codec, framing):
    (series,) = opened(tmp_path, described(**({"00083002": told} if told else {})), body)
    extent = series.frames[0].extent
    assert (series.frames[0].coding.codec, extent.framing) == (codec, framing)
    known = codec == "native-le"
    assert (extent.length, extent.level_ends) == ((8, (8,)) if known else (None, ()))


def test_reversible_as_the_metadata_say_where_they_fit(tmp_path):
    (lossless,) = opened(
        tmp_path / "a", described(**{"00083002": "1.2.840.10008.1.2.4.201"}), HTJ2K_START
    )
    (unknown,) = opened(tmp_path / "b", described(), HTJ2K_START)
    assert (lossless.reversible, unknown.reversible) == (True, False)


def test_a_host_that_maps_no_names(tmp_path):
    """Plain files, as `prepare` and Static DICOMweb leave them: ``metadata.gz``, ``1.mht``."""
    import functools
    import http.server
    import threading

    path = write_tree(tmp_path, described(), [HTJ2K_START])
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        (series,) = open_source(f"dicomweb:{root}/{path}")
        server.shutdown()
    assert series.frames[0].extent.url == f"{root}/{path}/instances/5.6/frames/1.mht"


def test_errors_are_typed(tmp_path, tree):
    with pytest.raises(TransportError):
        open_source(f"dicomweb:{tree.data_url}studies/9.9/series/9")
    with pytest.raises(MalformedDescriptor):
        open_source(f"dicomweb:{tree.data_url}studies")
    with pytest.raises(NotDicom, match="no image"):
        opened(tmp_path / "a", {"00080018": {"Value": ["5.6"]}}, b"")
    path = write_tree(tmp_path / "b", described(), [])
    with RecordingServer(tmp_path / "b") as server, pytest.raises(TransportError) as caught:
        open_source(f"dicomweb:{server.data_url}{path}")
    assert caught.value.resource.endswith("/frames/1")
    shutil.rmtree(tmp_path / "b")


PHILIPS = "1.3.46.670589.30.1.3.1.1625260923.1632320482484.1"


def test_an_overlay_that_the_metadata_point_to(tree, shared_data):
    """In this tree its address is relative to the study, and the file is gzip."""
    found, notices = open_with_notices(DicomwebSource(f"{tree.data_url}studies/{PHILIPS}"))
    (plane,) = found[0].frames[0].image.overlays
    [path] = shared_data.glob(f"dicomweb/studies/{PHILIPS}/bulkdata/143/5e/40cb*")
    body = gzip.decompress(path.read_bytes())
    head = read_part_head(body)
    value = body[head.payload_start : payload_stop(head, body[-TAIL_BYTES:], len(body))]
    size = (plane.rows * plane.columns + 7) // 8
    assert base64.b64decode(plane.data) == value[:size]
    assert any(value)
    assert notices == []


def write_series(folder, instances: list[tuple[dict, list[bytes]]]) -> str:
    """A tree of a series of several instances."""
    series = folder / "studies/1.2/series/3.4"
    records = []
    for number, (record, bodies) in enumerate(instances):
        uid = f"5.{number}"
        frames = series / "instances" / uid / "frames"
        frames.mkdir(parents=True)
        for count, body in enumerate(bodies, 1):
            (frames / f"{count}.mht").write_bytes(body)
        records.append({**record, "00080018": {"Value": [uid]}, "00200013": {"Value": [number]}})
    (series / "metadata").write_text(json.dumps(records))
    return "studies/1.2/series/3.4"


def opened_series(folder, instances):
    path = write_series(folder, instances)
    with RecordingServer(folder) as server:
        return open_with_notices(DicomwebSource(f"{server.data_url}{path}"))


def test_several_syntaxes_are_one_series(tmp_path):
    syntaxes = [f"1.2.840.10008.1.2.{end}" for end in ("4.202", "5", "1", "4.202", "4.102", "5")]
    bodies = [HTJ2K_START, b"rle!", bytes(8), HTJ2K_START, b"mpeg", b"rle!"]
    (series,), notices = opened_series(
        tmp_path,
        [
            (described(**{"00083002": syntax}), [body])
            for syntax, body in zip(syntaxes, bodies, strict=True)
        ],
    )
    codecs = [frame.coding.codec for frame in series.frames]
    assert codecs == ["openjph", "rle", "native-le", "openjph", "rle"]
    assert notices == []
    (notice,) = series.notices
    assert notice.startswith("1 frames left out: ")
    assert "4.102" in notice


def test_series_that_cannot_be_had_are_said(tmp_path):
    write_tree(tmp_path, described(), [HTJ2K_START])
    study = tmp_path / "studies/1.2"
    names = {"3.4": 1, "7.7": 2, "8.8": 3}
    (study / "series/8.8").mkdir()
    report = [{"00080018": {"Value": ["5.6"]}}]
    (study / "series/8.8/metadata").write_text(json.dumps(report))
    records = [
        {"0020000E": {"Value": [uid]}, "00200011": {"Value": [number]}}
        for uid, number in names.items()
    ]
    (study / "series/index.json").write_text(json.dumps(records))
    with RecordingServer(tmp_path) as server:
        found, notices = open_with_notices(DicomwebSource(f"{server.data_url}studies/1.2"))
    assert len(found) == 1
    assert len(notices) == 1
    assert notices[0].startswith("1 of 3 series left out: series 2: ")


RED, GREEN, BLUE = (f"0028110{number}" for number in (1, 2, 3))


@pytest.mark.parametrize("place", ["studies/1.2", "studies/1.2/series/3.4", "."])
def test_a_palette_that_the_metadata_point_to(tmp_path, place):
    record = described(**{"00280004": "PALETTE COLOR", "00280100": 8})
    for number, tag in enumerate((RED, GREEN, BLUE), 1):
        record[tag] = {"vr": "US", "Value": [2, 0, 8]}
        record[f"0028120{number}"] = {"vr": "OW", "BulkDataURI": f"values/{number}"}
        (tmp_path / place / "values").mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "values" / str(number)).write_bytes(bytes((number, 10 * number)))
    (series,), notices = opened_series(tmp_path, [(record, [bytes(4)])])
    palette = series.frames[0].image.palette_color
    assert base64.b64decode(palette.data) == bytes((1, 2, 3, 10, 20, 30))
    assert notices == []


def test_a_table_that_does_not_come_is_said(tmp_path):
    record = described()
    table = {
        "00283002": {"vr": "US", "Value": [4, 0, 8]},
        "00283006": {"vr": "OW", "BulkDataURI": "bulkdata/none"},
    }
    record["00283010"] = {"vr": "SQ", "Value": [table]}
    (series,), notices = opened_series(tmp_path, [(record, [bytes(8)])])
    assert series.frames[0].image.voi_luts == ()
    assert len(notices) == 1
    assert "bulkdata/none" in notices[0]


def test_a_table_in_a_sequence(tmp_path):
    record = described()
    table = {
        "00283002": {"vr": "US", "Value": [4, 0, 8]},
        "00283006": {"vr": "OW", "BulkDataURI": "bulkdata/table"},
    }
    record["00283010"] = {"vr": "SQ", "Value": [table]}
    (tmp_path / "studies/1.2/bulkdata").mkdir(parents=True)
    part = b"--B\r\nContent-Type: application/octet-stream\r\n\r\n\x01\x02\x03\x04\r\n--B--"
    (tmp_path / "studies/1.2/bulkdata/table").write_bytes(part)
    (series,), notices = opened_series(tmp_path, [(record, [bytes(8)])])
    (found,) = series.frames[0].image.voi_luts
    assert base64.b64decode(found.data) == b"\x01\x02\x03\x04"
    assert notices == []


@pytest.mark.parametrize("framed", [False, True])
def test_pixels_that_only_bulk_data_hold(tmp_path, framed):
    record = described(**{"00280008": 3})
    record["7FE00010"] = {"vr": "OW", "BulkDataURI": "bulkdata/pixels"}
    (tmp_path / "studies/1.2/bulkdata").mkdir(parents=True)
    pixels = bytes(range(24))
    head, tail = b"--B\r\nContent-Type: application/octet-stream\r\n\r\n", b"\r\n--B--"
    body = head + pixels + tail if framed else pixels
    (tmp_path / "studies/1.2/bulkdata/pixels").write_bytes(body)
    (series,), _ = opened_series(tmp_path, [(record, [])])
    frames = [frame_bytes(body, frame.extent) for frame in series.frames]
    assert frames == [pixels[:8], pixels[8:16], pixels[16:]]
    assert series.frames[0].extent.level_ends == (8,)


def test_a_compressed_frame_that_only_bulk_data_hold(tmp_path):
    record = described(**{"00083002": "1.2.840.10008.1.2.4.202"})
    record["7FE00010"] = {"vr": "OB", "BulkDataURI": "bulkdata/pixels"}
    (tmp_path / "studies/1.2/bulkdata").mkdir(parents=True)
    head = b"--B\r\nContent-Type: image/jphc\r\n\r\n"
    (tmp_path / "studies/1.2/bulkdata/pixels").write_bytes(head + HTJ2K_START)
    (series,), _ = opened_series(tmp_path, [(record, [])])
    extent = series.frames[0].extent
    assert (series.frames[0].coding.codec, extent.framing) == ("openjph", "multipart")
    record["00280008"] = {"vr": "IS", "Value": [2]}
    shutil.rmtree(tmp_path / "studies/1.2/series")
    with pytest.raises(NotDicom, match="several compressed frames"):
        opened_series(tmp_path, [(record, [])])
