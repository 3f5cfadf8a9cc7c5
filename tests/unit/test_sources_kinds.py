"""What a source makes of several things at once: joined where they belong together, else said."""

from __future__ import annotations

import json
import shutil

import pytest

from firstlight.dicom.attributes import ImageAttributes
from firstlight.errors import NotDicom, UnsupportedTransferSyntax
from firstlight.sources.base import HeadPiece, Limit
from firstlight.sources.descriptor import (
    Descriptor,
    FrameEntry,
    Heads,
    SeriesEntry,
    write_descriptor,
)
from firstlight.sources.local import LocalFile, LocalSource
from firstlight.sources.manifest import ManifestSource
from firstlight.sources.open import source_for
from support.open_source import open_source, open_with_notices
from support.recording_server import RecordingServer

HTJ2K, JPEG_LS, MPEG4 = (f"1.2.840.10008.1.2.4.{end}" for end in (202, 80, 102))


@pytest.fixture
def served(tmp_path):
    with RecordingServer(tmp_path) as server:
        yield server, tmp_path


def entry(syntax: str, heights: list[float], *, uid: str = "1.2", heads: bool = False):
    orientation = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    frames = tuple(
        FrameEntry(
            url=f"{syntax}-{height}",
            length=10,
            level_ends=(5, 10) if heads else (10,),
            image=ImageAttributes(
                rows=4,
                columns=4,
                image_position_patient=(0.0, 0.0, height),
                image_orientation_patient=orientation,
            ),
            heads=(HeadPiece(5 * number, 5),) if heads else (),
        )
        for number, height in enumerate(heights)
    )
    return SeriesEntry(
        uid,
        frames,
        study_instance_uid="1",
        transfer_syntax_uid=syntax,
        heads=Heads(f"heads-{syntax}", 100) if heads else None,
    )


def manifest(served, *entries: SeriesEntry):
    server, folder = served
    (folder / "firstlight.json").write_text(write_descriptor(Descriptor(entries)))
    return open_with_notices(ManifestSource(f"{server.data_url}firstlight.json"))


def test_entries_of_one_series_are_one_series(served):
    found, notices = manifest(
        served,
        entry(JPEG_LS, [2.0, 4.0, 6.0]),
        entry(HTJ2K, [1.0, 5.0], heads=True),
        entry(HTJ2K, [0.0], uid="3.4"),
    )
    assert [len(series.frames) for series in found] == [5, 1]
    frames = found[0].frames
    assert [frame.image.image_position_patient[2] for frame in frames] == [1, 2, 4, 5, 6]
    assert [frame.coding.codec for frame in frames] == [
        "openjph",
        "charls",
        "charls",
        "openjph",
        "charls",
    ]
    assert found[0].heads_url.endswith(f"heads-{HTJ2K}")
    assert [bool(frame.heads) for frame in frames] == [True, False, False, True, False]
    assert notices == []


def test_heads_of_another_file_are_left_out(served):
    (series,), _ = manifest(
        served, entry(HTJ2K[:-1] + "1", [1.0], heads=True), entry(HTJ2K, [0.0, 2.0], heads=True)
    )
    assert series.heads_url.endswith(f"heads-{HTJ2K}")
    assert [bool(frame.heads) for frame in series.frames] == [True, False, True]


def test_a_series_that_cannot_be_decoded_is_said(served):
    found, notices = manifest(served, entry(MPEG4, [0.0], uid="9"), entry(HTJ2K, [0.0]))
    assert len(found) == 1
    assert len(notices) == 1
    assert MPEG4 in notices[0]
    with pytest.raises(UnsupportedTransferSyntax):
        manifest(served, entry(MPEG4, [0.0]))


def local(served, *names: str):
    server, _ = served
    files = tuple(LocalFile(name, f"{server.data_url}{name}") for name in names)
    return open_with_notices(LocalSource(files))


def test_files_that_are_no_images_are_said(served, shared_data):
    _, folder = served
    shutil.copyfile(shared_data / "wg04/CT1_JPH.dcm", folder / "a.dcm")
    shutil.copyfile(shared_data / "wg04/CT1_RLE.dcm", folder / "b.dcm")
    shutil.copyfile(shared_data / "negative/fuzz/TC0401_invalid_ts.dcm", folder / "c.dcm")
    shutil.copyfile(shared_data / "MANIFEST.md", folder / "readme.txt")
    found, notices = local(served, "readme.txt", "c.dcm", "b.dcm", "a.dcm")
    assert sum(len(series.frames) for series in found) == 2
    assert len(notices) == 1
    assert notices[0].startswith("2 of 4 files could not be read: c.dcm: ")
    assert "readme.txt: not a DICOM" in notices[0]
    with pytest.raises(NotDicom):
        local(served, "readme.txt")


def test_many_reasons_are_cut_short(served, shared_data):
    _, folder = served
    shutil.copyfile(shared_data / "wg04/CT1_JPH.dcm", folder / "x.dcm")
    names = [f"{number}.txt" for number in range(9)]
    for name in names:
        (folder / name).write_text("nothing" * 100)
    _, notices = local(served, "x.dcm", *names)
    assert notices[0].startswith("9 of 10 files")
    assert notices[0].endswith("; and 4 more")


def test_files_of_one_series_in_several_syntaxes_are_one_series(served, shared_data):
    import pydicom

    _, folder = served
    for number, name in enumerate(("CT1_JPH", "CT1_RLE", "CT1_JLSL")):
        dataset = pydicom.dcmread(shared_data / f"wg04/{name}.dcm")
        dataset.SeriesInstanceUID = "1.2.3"
        dataset.ImagePositionPatient = [0, 0, 10 - number]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.save_as(folder / f"{number}.dcm")
    (series,), notices = local(served, "0.dcm", "1.dcm", "2.dcm")
    assert [frame.coding.codec for frame in series.frames] == ["charls", "rle", "openjph"]
    assert notices == []


def test_without_positions_instance_numbers_count(served, shared_data):
    import pydicom

    _, folder = served
    for number in (1, 2, 10):
        dataset = pydicom.dcmread(shared_data / "wg04/US1_RLE.dcm")
        dataset.InstanceNumber, dataset.SeriesInstanceUID = number, "1.2.3"
        dataset.save_as(folder / f"IM{number}.dcm")
    (series,), _ = local(served, "IM1.dcm", "IM10.dcm", "IM2.dcm")
    assert [frame.instance_number for frame in series.frames] == [1, 2, 10]


@pytest.fixture
def pair(served, shared_data):
    """A codestream and its metadata, as `jphuri:` has them."""
    import pydicom
    from pydicom.encaps import generate_frames

    server, folder = served
    dataset = pydicom.dcmread(shared_data / "wg04/RG3_JPH.dcm")
    (codestream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    (folder / "x.jph").write_bytes(codestream)
    del dataset.PixelData
    dataset.save_as(folder / "x.metadata.dcm", enforce_file_format=True)
    return server, codestream


def test_a_limit_of_a_pair(pair):
    server, _ = pair
    server.requests.clear()
    (series,) = open_source(f"jphuri:{server.data_url}x.jph#byteRange=0-2999&decodeLevel=1")
    assert series.limit == Limit(3000, 1)
    assert series.frames[0].extent.url == f"{server.data_url}x.jph"
    assert series.transfer_syntax_uid == HTJ2K
    server.requests.wait_until_idle()
    (pixels,) = server.requests("/data/x.jph")
    assert (pixels.range, pixels.body_bytes) == ("bytes=0-2999", 3000)
    assert len(server.requests("/data/x.metadata.dcm")) == 1


def test_a_pair_without_metadata(served):
    server, folder = served
    (folder / "x.jph").write_bytes(b"x")
    (folder / "x.metadata.dcm").write_bytes(json.dumps({}).encode())
    with pytest.raises(NotDicom):
        open_with_notices(source_for(f"jphuri:{server.data_url}x.jph"))
