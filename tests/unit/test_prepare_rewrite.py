"""``--rewrite``: packets of the source, another arrangement, no encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate

from firstlight.dicom import uids
from firstlight.j2k.markers import read_main_header
from firstlight.prepare import kept
from unit.j2k_samples import ORDERS, ht, picture
from unit.prepare_sources import descriptor_of, image, run, saved, summary_of, tree_of

if TYPE_CHECKING:
    from pathlib import Path


def source(
    folder: Path, syntax: str = uids.HTJ2K_LOSSLESS, number: int = 1, **options: object
) -> Path:
    """A DICOM file around an HTJ2K codestream with little to find one's way by."""
    values = picture(300, 200)
    dataset = image(values, BitsStored=12, HighBit=11, SOPInstanceUID=f"2.25.1.1.{number}")
    codestream = ht(300, 200, **{"tlm": False, "tile_parts": False, **options})
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([codestream])
    dataset["PixelData"].VR = "OB"
    return saved(folder / f"{number}.dcm", dataset)


def written(out: Path) -> bytes:
    [series] = descriptor_of(out).series
    [frame] = series.frames
    return (out / frame.url).read_bytes()[frame.start : frame.start + frame.length]


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_without_decoding(order: str, tmp_path: Path, monkeypatch) -> None:
    """With ``--no-decode`` no decoder is asked, and the hash is that of the codestream."""
    monkeypatch.setattr(kept, "decoded", None)
    source(tmp_path / "in")
    options = ("--rewrite", "--progression", order, "--no-decode", "--no-thumbnails", "-j1")
    result = run(tmp_path / "in", "-o", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    codestream = written(tmp_path / "out")
    assert read_main_header(codestream).cod.progression_order == order
    assert np.array_equal(imagecodecs.jpeg2k_decode(codestream), picture(300, 200))
    [frame] = descriptor_of(tmp_path / "out").series[0].frames
    assert frame.sha256 == ""
    assert len(frame.encoded_sha256) == 64
    assert len(frame.level_ends) == 6


def test_no_order_is_the_order_it_has(tmp_path: Path) -> None:
    source(tmp_path / "in", order="RLCP")
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--rewrite").exit_code == 0
    assert read_main_header(written(tmp_path / "out")).cod.progression_order == "RLCP"
    assert descriptor_of(tmp_path / "out").series[0].frames[0].sha256


def test_a_promised_order_is_not_broken(tmp_path: Path) -> None:
    source(tmp_path / "in", uids.HTJ2K_LOSSLESS_RPCL)
    result = run(tmp_path / "in", "-o", tmp_path / "out", "--rewrite", "--progression", "LRCP")
    assert result.exit_code == 1
    assert "promises RPCL" in result.stderr


def test_other_sources_are_encoded_as_ever(tmp_path: Path) -> None:
    source(tmp_path / "in")
    values = picture(100, 90)
    saved(tmp_path / "in" / "2.dcm", image(values, BitsStored=12, SOPInstanceUID="2.25.1.1.2"))
    options = ("--rewrite", "--progression", "LRCP")
    assert run(tmp_path / "in", "-o", tmp_path / "out", *options).exit_code == 0
    found = {s.transfer_syntax_uid for s in descriptor_of(tmp_path / "out").series}
    assert found == {uids.HTJ2K_LOSSLESS, uids.HTJ2K_LOSSLESS_RPCL}


def test_unknown_order(tmp_path: Path) -> None:
    source(tmp_path / "in")
    result = run(tmp_path / "in", "-o", tmp_path / "out", "--rewrite", "--progression", "RPLC")
    assert result.exit_code == 2


def test_duplicates_are_told_without_decoding(tmp_path: Path) -> None:
    """The same codestream in another file is a duplicate; another one is a conflict."""
    first = source(tmp_path / "in", number=1)
    again = pydicom.dcmread(first)
    again.ImageComments = "another file of the same pixels"
    saved(tmp_path / "in" / "2.dcm", again)
    again.PixelData = encapsulate([ht(300, 200, order="RLCP")])
    saved(tmp_path / "in" / "3.dcm", again)
    options = ("--recompress", "none", "--no-decode", "--json")
    result = run(tmp_path / "in", "-o", tmp_path / "out", *options)
    summary = summary_of(result)
    assert (summary["files_prepared"], summary["files_duplicate"]) == (1, 1)
    [failure] = summary["failures"]
    assert failure["path"].endswith("3.dcm")


def test_second_run_gives_the_same(tmp_path: Path) -> None:
    source(tmp_path / "in")
    for out in ("1", "2"):
        options = ("--rewrite", "--progression", "RPCL")
        assert run(tmp_path / "in", "-o", tmp_path / out, *options).exit_code == 0
    assert tree_of(tmp_path / "1") == tree_of(tmp_path / "2")
