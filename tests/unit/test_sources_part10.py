"""`wadouri:` against real files behind the real server, which counts requests and bytes."""

from __future__ import annotations

import json
import shutil
import struct
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate_extended, generate_frames
from pydicom.uid import JPEGLSLossless

from firstlight.dicom.part10 import FIRST_READ_BYTES
from firstlight.errors import MalformedDescriptor, NotDicom, UnsupportedTransferSyntax
from firstlight.ranges import ByteRange
from firstlight.sources.address import split_frame
from firstlight.sources.open import source_for
from firstlight.sources.sidecar import Sidecar, head_sha256, write_sidecar
from support.open_source import frame_bytes, open_source, open_with_notices, with_resources
from support.part10_bytes import part10
from support.recording_server import RecordingServer

if TYPE_CHECKING:
    from pathlib import Path

CT_HTJ2K = "wg04/CT1_JPH.dcm"


@pytest.fixture
def served(tmp_path):
    with RecordingServer(tmp_path) as server:
        yield server, tmp_path


def stored_frames(path: Path) -> list[bytes]:
    dataset = pydicom.dcmread(path)
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return list(generate_frames(dataset.PixelData, number_of_frames=count))
    size = len(dataset.PixelData) // count
    return [dataset.PixelData[i * size : (i + 1) * size] for i in range(count)]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        (CT_HTJ2K, "openjph"),
        ("wg04/CT1_J2KR.dcm", "openjpeg"),
        ("wg04/CT1_JLSL.dcm", "charls"),
        ("wg04/CT1_JPLL.dcm", "jpeg-lossless"),
        ("wg04/CT1_RLE.dcm", "rle"),
        ("wg04/CT1_UNC.dcm", "native-le"),
        ("dicom/CTImage_BigEndian.dcm", "native-be"),
        ("dicom/CTImage_Implicit.dcm", "native-le"),
        ("dicom/emri_small_jpeg_2k_lossless.dcm", "openjpeg"),
        ("dicom/SC_rgb_rle_16bit_2frame.dcm", "rle"),
        ("dicom/CT0012.fragmented_no_bot_jpeg_ls.80.dcm", "charls"),
        ("dicom/CT0012.not_fragmented_bot_jpeg_ls.80.dcm", "charls"),
        ("dicom/sm_image_jpegls.dcm", "charls"),
    ],
)
def test_extents_name_the_frames_that_pydicom_finds(served, shared_data, name, codec):
    server, folder = served
    shutil.copy(shared_data / name, folder / "x.dcm")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    data = (folder / "x.dcm").read_bytes()
    assert series.frames[0].coding.codec == codec
    found = {frame_bytes(data, frame.extent) for frame in series.frames}
    assert found == set(stored_frames(folder / "x.dcm"))
    assert series.frames[0].image.rows == pydicom.dcmread(folder / "x.dcm").Rows
    scalable = codec in ("openjph", "openjpeg")
    for frame in series.frames:
        assert frame.extent.level_ends == (() if scalable else (frame.extent.length,))


def test_one_frame_costs_its_header_and_no_more(served, shared_data):
    server, folder = served
    shutil.copy(shared_data / CT_HTJ2K, folder / "x.dcm")
    open_source(f"wadouri:{server.data_url}x.dcm")
    server.requests.wait_until_idle()
    assert len(server.requests("/data/x.dcm")) <= 2
    assert server.requests.body_bytes("/data/x.dcm") < FIRST_READ_BYTES + 512


def write_multiframe(path: Path, source: Path, frame_count: int, table: str) -> list[bytes]:
    """A file of many frames, each of other bytes, with an Extended, a Basic or no offset table."""
    dataset = pydicom.dcmread(source)
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    frames = [stream + index.to_bytes(4, "big") * (1 + index % 3) for index in range(frame_count)]
    values, offsets, lengths = encapsulate_extended(frames)
    if table == "extended":
        dataset.ExtendedOffsetTable = offsets
        dataset.ExtendedOffsetTableLengths = lengths
    if table == "basic":
        starts = struct.unpack(f"<{frame_count}Q", offsets)
        entries = struct.pack(f"<{frame_count}I", *starts)
        values = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(entries)) + entries + values[8:]
    dataset.PixelData = values + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    dataset.NumberOfFrames = frame_count
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.save_as(path)
    return frames


@pytest.mark.parametrize(("table", "requests"), [("extended", 3), ("basic", 5)])
def test_frame_700_of_1000_costs_a_bounded_few_requests(served, shared_data, table, requests):
    server, folder = served
    source = shared_data / "dicom/MR_small_jpeg_ls_lossless.dcm"
    frames = write_multiframe(folder / "x.dcm", source, 1000, table)
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm?frame=700")
    (frame,) = series.frames
    data = (folder / "x.dcm").read_bytes()
    assert frame_bytes(data, frame.extent).rstrip(b"\0") == frames[699].rstrip(b"\0")
    server.requests.wait_until_idle()
    assert len(server.requests("/data/x.dcm")) <= requests
    assert server.requests.body_bytes("/data/x.dcm") < 100_000
    assert len(data) > 3_000_000


def test_without_a_table_every_item_header_is_visited_and_little_else(served, shared_data):
    server, folder = served
    frames = write_multiframe(folder / "x.dcm", shared_data / "wg04/CT1_JLSL.dcm", 12, "none")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    data = (folder / "x.dcm").read_bytes()
    found = [frame_bytes(data, frame.extent).rstrip(b"\0") for frame in series.frames]
    assert found == [frame.rstrip(b"\0") for frame in frames]
    server.requests.wait_until_idle()
    assert server.requests.body_bytes("/data/x.dcm") < len(data) / 10


def test_equal_fragments_are_asked_for_ahead_of_time(served, shared_data):
    server, folder = served
    shutil.copy(shared_data / "big/MG1_J2KI.dcm", folder / "x.dcm")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    (frame,) = series.frames
    assert len(frame.extent.fragments) > 30
    data = (folder / "x.dcm").read_bytes()
    assert frame_bytes(data, frame.extent) == stored_frames(folder / "x.dcm")[0]
    server.requests.wait_until_idle()
    assert server.requests.body_bytes("/data/x.dcm") < 50_000


def indexed(url: str, path: Path, **changes) -> str:
    """A sidecar for a file, whose frame gets level ends that only a sidecar knows."""
    (series,) = open_source(f"wadouri:{url}")
    frame = series.frames[0]
    extent = replace(frame.extent, level_ends=(143, 6514, frame.extent.length))
    data = path.read_bytes()
    sidecar = Sidecar(
        series=replace(series, frames=(replace(frame, extent=extent),)),
        transfer_syntax_uid="1.2.840.10008.1.2.4.202",
        file_bytes=len(data),
        head_sha256=head_sha256(data),
    )
    return write_sidecar(replace(sidecar, **changes))


def test_a_sidecar_is_believed_while_the_file_is_the_same(served, shared_data):
    server, folder = served
    shutil.copy(shared_data / CT_HTJ2K, folder / "x.dcm")
    url = f"{server.data_url}x.dcm"
    (plain,) = open_source(f"wadouri:{url}")
    text = indexed(url, folder / "x.dcm")
    (folder / "x.dcm.firstlight.json").write_text(text)
    server.requests.clear()
    (series,) = open_source(f"wadouri:{url}")
    server.requests.wait_until_idle()
    assert len(server.requests()) == 2
    assert series.frames[0].extent.level_ends == (143, 6514, plain.frames[0].extent.length)
    assert replace(series.frames[0].extent, level_ends=()) == plain.frames[0].extent
    assert series.frames[0].image == plain.frames[0].image
    assert (series.modality, series.number) == (plain.modality, plain.number)


@pytest.mark.parametrize(
    "changes",
    [{"file_bytes": 188429}, {"head_sha256": "0" * 64}, {"etag": '"another"'}],
    ids=["size", "head", "etag"],
)
def test_a_stale_sidecar_is_not_believed(served, shared_data, changes):
    server, folder = served
    shutil.copy(shared_data / CT_HTJ2K, folder / "x.dcm")
    url = f"{server.data_url}x.dcm"
    (plain,) = open_source(f"wadouri:{url}")
    (folder / "x.dcm.firstlight.json").write_text(indexed(url, folder / "x.dcm", **changes))
    (series,), (notice,) = open_with_notices(source_for(f"wadouri:{url}"))
    assert series == plain
    assert "index beside the file" in notice


@pytest.mark.parametrize(
    "text",
    [
        "<html>",
        "[]",
        '{"firstlight_index": 2}',
        '{"firstlight_index": 1}',
        "{}",
    ],
)
def test_a_broken_sidecar_is_as_good_as_none(served, shared_data, text):
    server, folder = served
    shutil.copy(shared_data / CT_HTJ2K, folder / "x.dcm")
    (folder / "x.dcm.firstlight.json").write_text(text)
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    assert series.frames[0].coding.codec == "openjph"


def test_a_sidecar_that_points_beyond_the_file_is_refused(served, shared_data):
    server, folder = served
    shutil.copy(shared_data / CT_HTJ2K, folder / "x.dcm")
    url = f"{server.data_url}x.dcm"
    record = json.loads(indexed(url, folder / "x.dcm"))
    record["frames"][0]["start"] += 100_000
    (folder / "x.dcm.firstlight.json").write_text(json.dumps(record))
    (series,) = open_source(f"wadouri:{url}")
    assert series.frames[0].extent.level_ends == ()


def test_a_deflated_file_names_its_deflate_stream(served, shared_data):
    import zlib

    server, folder = served
    shutil.copy(shared_data / "dicom/CTImage_Deflated.dcm", folder / "x.dcm")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    extent = series.frames[0].extent
    inflated = zlib.decompressobj(-15).decompress(
        frame_bytes((folder / "x.dcm").read_bytes(), extent)
    )
    assert extent.inflated is not None
    frame = inflated[extent.inflated.start : extent.inflated.stop]
    assert frame == stored_frames(folder / "x.dcm")[0]


def test_frame_parameter_is_taken_out_of_the_query():
    url = "https://host/a.dcm?token=x%20y&frame=12&z"
    assert split_frame(url) == ("https://host/a.dcm?token=x%20y&z", 12)
    assert split_frame("https://host/a.dcm?frames=3") == ("https://host/a.dcm?frames=3", None)
    for bad in ("frame=0", "frame=x", "frame="):
        with pytest.raises(MalformedDescriptor):
            split_frame(f"https://host/a.dcm?{bad}")


def test_errors_are_typed_and_name_the_file(served, shared_data):
    server, folder = served
    for name, error in {
        "negative/dicom/reportsi.dcm": NotDicom,
        "negative/dicom/no_meta.dcm": NotDicom,
        "negative/dicom/MR_truncated.dcm": NotDicom,
        "negative/fuzz/TC0401_invalid_ts.dcm": UnsupportedTransferSyntax,
    }.items():
        shutil.copyfile(shared_data / name, folder / "x.dcm")
        with pytest.raises(error) as caught:
            open_source(f"wadouri:{server.data_url}x.dcm")
        assert caught.value.resource == f"{server.data_url}x.dcm"
    with pytest.raises(MalformedDescriptor, match="no frame 2"):
        shutil.copyfile(shared_data / CT_HTJ2K, folder / "x.dcm")
        open_source(f"wadouri:{server.data_url}x.dcm?frame=2")


def test_part_tells_size_version_and_ranges(served):
    server, folder = served
    (folder / "x.bin").write_bytes(bytes(range(200)))
    url = f"{server.data_url}x.bin"
    part = with_resources(lambda resources: resources.part(url, ByteRange(10, 500)))
    assert part.data == bytes(range(10, 200))
    assert (part.total_bytes, part.ranges, part.version[:1]) == (200, True, '"')


def test_float_pixel_data(served, shared_data):
    server, folder = served
    shutil.copyfile(shared_data / "dicom/parametric_map_float.dcm", folder / "x.dcm")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    image, extent = series.frames[0].image, series.frames[0].extent
    assert (image.is_float, image.bits_allocated, image.bits_stored) == (True, 32, 32)
    stored = pydicom.dcmread(folder / "x.dcm").FloatPixelData
    assert frame_bytes((folder / "x.dcm").read_bytes(), extent) == stored[: extent.length]


def test_double_float_pixel_data(served, shared_data):
    server, folder = served
    dataset = pydicom.dcmread(shared_data / "dicom/parametric_map_float.dcm")
    values = np.frombuffer(dataset.FloatPixelData, "<f4").astype("<f8")
    del dataset.FloatPixelData
    dataset.DoubleFloatPixelData = values.tobytes()
    dataset.BitsAllocated = 64
    dataset.save_as(folder / "x.dcm")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    image, extent = series.frames[0].image, series.frames[0].extent
    assert (image.is_float, image.bits_allocated) == (True, 64)
    assert extent.length == image.rows * image.columns * 8


def test_bytes_in_words_of_a_big_endian_file_are_marked(served):
    server, folder = served
    for vr, marked in ((b"OW", "OW"), (b"OB", "")):
        shape = b"".join(
            struct.pack(">HH2sHH", 0x28, number, b"US", 2, value)
            for number, value in ((2, 1), (0x10, 2), (0x11, 2), (0x100, 8), (0x101, 8))
        )
        pixels = struct.pack(">HH2sHI", 0x7FE0, 0x10, vr, 0, 4) + bytes((2, 1, 4, 3))
        (folder / "x.dcm").write_bytes(part10("1.2.840.10008.1.2.2", shape + pixels))
        (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
        assert series.frames[0].image.value_representation == marked


def test_overlays_and_times_of_single_frames(served):
    """Without functional groups, frames can have both of their own all the same."""
    server, folder = served
    dataset = pydicom.dcmread(get_testdata_file("SC_rgb_rle_2frame.dcm"))
    dataset.FrameIncrementPointer = 0x00181065
    dataset.FrameTimeVector = [0, 30]
    dataset.add_new(0x60000010, "US", 4)
    dataset.add_new(0x60000011, "US", 4)
    dataset.add_new(0x60000015, "IS", 2)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60003000, "OW", b"\x0f\x00\xf0\x00")
    dataset.save_as(folder / "x.dcm")
    (series,) = open_source(f"wadouri:{server.data_url}x.dcm")
    planes = [b64decode(frame.image.overlays[0].data) for frame in series.frames]
    assert planes == [b"\x0f\x00", b"\xf0\x00"]
    assert [frame.image.frame_time_ms for frame in series.frames] == [30, 30]
    assert series.frames[0].image.palette_color is series.frames[1].image.palette_color
