"""Every format: what is lossless is, what is lossy says so, and labels are true."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest

from firstlight.dicom import uids
from firstlight.j2k.markers import read_main_header
from firstlight.prepare import frames, large
from firstlight.prepare.formats import FORMATS
from firstlight.prepare.proof import decoded
from firstlight.prepare.recipe import PROGRESSIONS
from firstlight.prepare.shrink import shrink
from firstlight.prepare.stored import stored_frames, stored_sha256
from unit.j2k_samples import picture
from unit.prepare_sources import copied, descriptor_of, image, run, saved, shipped, tree_of

if TYPE_CHECKING:
    from pathlib import Path

    from firstlight.sources.descriptor import FrameEntry

NAMES = ("CT_small.dcm", "examples_rgb_color.dcm", "examples_palette.dcm", "MR_small_RLE.dcm")
LOSSLESS = [name for name, form in FORMATS.items() if form.exact]
LOSSY = [name for name, form in FORMATS.items() if not form.exact]


def codestream(out: Path, frame: FrameEntry) -> bytes:
    return (out / frame.url).read_bytes()[frame.start : frame.start + frame.length]


def metadata_of(out: Path, sop_instance_uid: str) -> pydicom.Dataset:
    path = out.glob(f"*/*/{sop_instance_uid}.dcm")
    return pydicom.dcmread(next(path))


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_keep_every_value(name: str, tmp_path: Path) -> None:
    source = copied(tmp_path / "in", *NAMES)
    result = run(source, "-o", tmp_path / "out", "--format", name)
    assert result.exit_code == 0, result.output
    expected = {
        stored_sha256(values)
        for file in NAMES
        for values in stored_frames(pydicom.dcmread(shipped(file)), resource=file)
    }
    series = descriptor_of(tmp_path / "out").series
    assert {entry.transfer_syntax_uid for entry in series} == {FORMATS[name].uid}
    assert {frame.sha256 for entry in series for frame in entry.frames} == expected
    for entry in series:
        for frame in entry.frames:
            data = codestream(tmp_path / "out", frame)
            values = decoded(data, frame.image, entry.transfer_syntax_uid, resource=frame.url)
            assert stored_sha256(values) == frame.sha256
            assert not frame.image.lossy_image_compression


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_say_so(name: str, tmp_path: Path) -> None:
    """PS3.3 C.7.6.1.1.5, and a derived image has a UID of its own that names its source."""
    original = pydicom.dcmread(shipped("CT_small.dcm"))
    options = ("--format", name, "--layout", "part10", "--near", "3")
    source = copied(tmp_path / "in", "CT_small.dcm")
    assert run(source, "-o", tmp_path / "out", *options).exit_code == 0
    [series] = descriptor_of(tmp_path / "out").series
    [frame] = series.frames
    header = metadata_of(tmp_path / "out", frame.sop_instance_uid)
    assert header.file_meta.TransferSyntaxUID == FORMATS[name].uid
    assert header.LossyImageCompression == "01"
    assert header.LossyImageCompressionMethod == FORMATS[name].method
    assert float(header.LossyImageCompressionRatio) > 1.5
    assert header.ImageType[0] == "DERIVED"
    assert header.SOPInstanceUID == header.file_meta.MediaStorageSOPInstanceUID
    assert header.SOPInstanceUID != original.SOPInstanceUID
    [reference] = header.SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == original.SOPInstanceUID
    [values] = stored_frames(header, resource="out")
    error = np.abs(values.astype(int) - original.pixel_array)
    assert 0 < error.max() <= (3 if name == "jpegls-near" else 200)
    assert frame.image.lossy_image_compression


def test_lossy_colour_is_ybr_ict(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "examples_rgb_color.dcm")
    options = ("--colour-format", "htj2k-lossy", "--layout", "part10")
    assert run(source, "-o", tmp_path / "out", *options).exit_code == 0
    [series] = descriptor_of(tmp_path / "out").series
    header = metadata_of(tmp_path / "out", series.frames[0].sop_instance_uid)
    assert header.PhotometricInterpretation == "YBR_ICT"
    assert series.frames[0].image.photometric_interpretation == "RGB"


def test_target_psnr_is_met_and_not_far_exceeded(tmp_path: Path) -> None:
    values = picture(300, 280)
    saved(tmp_path / "in" / "1.dcm", image(values, BitsStored=13, HighBit=12))
    sizes = []
    for target in (50, 65):
        out = tmp_path / str(target)
        options = ("--format", "htj2k-lossy", "--psnr", target)
        assert run(tmp_path / "in", "-o", out, *options).exit_code == 0
        [series] = descriptor_of(out).series
        [frame] = series.frames
        back = decoded(codestream(out, frame), frame.image, series.transfer_syntax_uid, resource="")
        error = back.astype(float) - values
        psnr = 20 * np.log10(8191 / np.sqrt(np.mean(error**2)))
        assert target <= psnr < target + 3
        sizes.append(frame.length)
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("progression", PROGRESSIONS)
def test_progressions_and_precincts(progression: str, tmp_path: Path) -> None:
    pytest.importorskip("ojph", reason="the extra large is not installed")
    saved(tmp_path / "in" / "1.dcm", image(picture(300, 280), BitsStored=13, HighBit=12))
    options = ("--format", "htj2k-lossless", "--progression", progression, "--precinct", 128)
    result = run(tmp_path / "in", "-o", tmp_path / "out", *options, "--block", 32)
    assert result.exit_code == 0, result.output
    assert ("nothing can be shown early" in result.stderr) == (progression[:2] not in ("RP", "RL"))
    [series] = descriptor_of(tmp_path / "out").series
    header = read_main_header(codestream(tmp_path / "out", series.frames[0]))
    assert header.cod.progression_order == progression
    coding = header.cod.coding
    assert set(coding.precinct_exponents) == {(7, 7)}
    assert coding.code_block_width_exponent == 5


def test_recompress_keeps_what_is_not_named(tmp_path: Path) -> None:
    """Frames of other syntaxes are the source's own, byte for byte, under their own UID."""
    names = ("CT_small.dcm", "examples_ybr_color.dcm", "MR_small_RLE.dcm")
    source = copied(tmp_path / "in", *names)
    options = ("--recompress", "uncompressed", "--layout", "part10")
    assert run(source, "-o", tmp_path / "out", *options).exit_code == 0
    found = {s.modality: s.transfer_syntax_uid for s in descriptor_of(tmp_path / "out").series}
    assert found["CT"] == uids.HTJ2K_LOSSLESS_RPCL
    assert found["MR"] == uids.RLE_LOSSLESS
    assert found["US"] == uids.JPEG_BASELINE
    for name in names[1:]:
        original = pydicom.dcmread(shipped(name))
        kept = metadata_of(tmp_path / "out", original.SOPInstanceUID)
        assert np.array_equal(kept.pixel_array, original.pixel_array)
        assert kept.PhotometricInterpretation == original.PhotometricInterpretation


def test_rewrite_adds_lengths_and_keeps_packets(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "emri_small_jpeg_2k_lossless.dcm")
    for out, options in (("plain", ("--recompress", "none")), ("again", ("--rewrite",))):
        assert run(source, "-o", tmp_path / out, *options).exit_code == 0
    plain, again = (descriptor_of(tmp_path / out).series[0] for out in ("plain", "again"))
    assert again.transfer_syntax_uid == plain.transfer_syntax_uid == uids.JPEG_2000_LOSSLESS
    assert [f.sha256 for f in again.frames] == [f.sha256 for f in plain.frames]
    rewritten = codestream(tmp_path / "again", again.frames[0])
    before = codestream(tmp_path / "plain", plain.frames[0])
    assert b"\xff\x55" in rewritten[:300]
    assert b"\xff\x55" not in before[:300]
    assert rewritten.count(b"\xff\x90\x00\x0a") == 6


def test_alternates_are_announced_and_there(tmp_path: Path) -> None:
    """Beside the frames, where a client finds them by another word in the path."""
    source = copied(tmp_path / "in", "CT_small.dcm")
    words = ("jls=jpegls-near:near=4", "jlsThumbnail", "lossy")
    options = [part for word in words for part in ("--alternate", word)]
    assert run(source, "-o", tmp_path / "out", *options).exit_code == 0
    [series] = descriptor_of(tmp_path / "out").series
    assert [(a.name, a.exact) for a in series.alternates] == [
        ("jls", False),
        ("jlsThumbnail", False),
        ("lossy", False),
    ]
    [frame] = series.frames
    [path] = (tmp_path / "out").rglob("instances/*/metadata")
    [record] = json.loads(path.read_text())
    announced = record["00991001"]["Value"]
    assert [item["00991002"]["Value"][0] for item in announced] == [
        alternate.name for alternate in frame.alternates
    ]
    for item in announced:
        assert (path.parents[2] / item["00991003"]["Value"][0] / "1.mht").is_file()
    original = pydicom.dcmread(shipped("CT_small.dcm")).pixel_array
    for alternate, announced in zip(frame.alternates, series.alternates, strict=True):
        assert alternate.url == frame.url.replace("/frames/", f"/{alternate.name}/")
        data = (tmp_path / "out" / alternate.url).read_bytes()
        data = data[alternate.start : alternate.start + alternate.length]
        small = replace(frame.image, rows=alternate.rows, columns=alternate.columns)
        back = decoded(data, small, announced.transfer_syntax_uid, resource=alternate.url)
        reduction = 128 // alternate.rows
        assert reduction == (4 if alternate.name == "jlsThumbnail" else 1)
        expected = shrink(original, reduction)
        limit = {"jls": 4, "jlsThumbnail": 0, "lossy": 200}[alternate.name]
        assert np.abs(back.astype(int) - expected).max() <= limit


def test_shrinking_is_a_low_pass_filter() -> None:
    """A pattern finer than the smaller grid vanishes; taking every fourth pixel would alias."""
    checkers = (np.indices((64, 64)).sum(axis=0) % 2 * 200).astype(np.uint8)
    assert np.abs(shrink(checkers, 4)[2:-2, 2:-2].astype(int) - 100).max() <= 4
    ramp = np.repeat(np.arange(64, dtype=np.uint16)[None] * 10, 64, axis=0)
    expected = np.arange(16) * 40 + 15
    assert np.abs(shrink(ramp, 4)[8, 2:-2].astype(int) - expected[2:-2]).max() <= 1
    assert shrink(ramp[:, :63], 4).shape == (16, 16)
    indices = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert set(shrink(indices, 4, indices=True).ravel()) <= set(indices.ravel())


@pytest.mark.parametrize("layout", ["dicomweb", "part10"])
@pytest.mark.parametrize(("samples", "kind"), [(1, np.uint16), (1, np.int16), (3, np.uint8)])
def test_by_rows_is_the_same_as_at_once(
    samples: int, kind: type, layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What frames above 256 MB go through, here smaller ones: every byte of the tree is the same.

    PLT, thumbnail, lossy and reduced alternates, heads and all.
    """
    pytest.importorskip("ojph", reason="the extra large is not installed")
    for number in (1, 2):
        values = np.ascontiguousarray(picture(333, 210 + number, samples)).astype(kind)
        bits = 8 if kind is np.uint8 else 13
        uid = f"2.25.1.1.{number}"
        dataset = image(values, BitsStored=bits, HighBit=bits - 1, SOPInstanceUID=uid)
        saved(tmp_path / "in" / f"{number}.dcm", dataset)
    words = ("lossy", "htj2k", "jlsThumbnail", "small=htj2k-lossy:reduction=3")
    options = [part for word in words for part in ("--alternate", word)]
    options = ["--layout", layout, *(options if layout == "dicomweb" else ())]
    trees, by_rows = [], []
    encoded = frames.encoded_large
    monkeypatch.setattr(
        frames, "encoded_large", lambda *given: by_rows.append(given) or encoded(*given)
    )
    for name, limit in (("whole", 1 << 28), ("rows", 60_000)):
        monkeypatch.setattr(large, "LARGE_PIXEL_BYTES", limit)
        result = run(tmp_path / "in", "-o", tmp_path / name, "-j1", *options)
        assert result.exit_code == 0, result.output
        trees.append(tree_of(tmp_path / name))
    assert len(by_rows) == (6 if layout == "dicomweb" else 2)
    assert trees[0].keys() == trees[1].keys()
    different = [path for path, data in trees[0].items() if trees[1][path] != data]
    assert not different


def test_a_large_frame_is_no_alternate_that_needs_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ojph", reason="the extra large is not installed")
    monkeypatch.setattr(large, "LARGE_PIXEL_BYTES", 60_000)
    saved(tmp_path / "in" / "1.dcm", image(picture(333, 217), BitsStored=13, HighBit=12))
    result = run(tmp_path / "in", "-o", tmp_path / "out", "-j1", "--alternate", "jls")
    assert result.exit_code == 1
    assert "alternate jls: a frame above 256 MB can only be HTJ2K by step" in result.stderr
