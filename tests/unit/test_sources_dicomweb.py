"""`dicomweb:` against the static trees of `prepare` and of Static DICOMweb."""

from __future__ import annotations

import gzip
import json
import shutil

import httpx
import pytest

from firstlight.dicomweb.multipart import TAIL_BYTES, payload_stop, read_part_head
from firstlight.errors import MalformedDescriptor, NotDicom, TransportError
from support.open_source import open_source
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
