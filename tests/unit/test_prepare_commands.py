"""The commands of Static DICOMweb that docs/prepare.md lists: ours do what those say they do."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from firstlight.dicom import uids
from firstlight.prepare.proof import decoded
from firstlight.prepare.shrink import shrink
from firstlight.prepare.stored import stored_frames
from unit.prepare_sources import copied, descriptor_of, run, shipped

DOCS = Path(__file__).resolve().parents[2] / "docs" / "prepare.md"
ROW = re.compile(r"^\| `(-t [^`]*)` \| `([^`]*)`", re.MULTILINE)

NAMES = (
    "CT_small.dcm",
    "examples_rgb_color.dcm",
    "examples_palette.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_small_odd.dcm",
)
"""Uncompressed, colour, palette, encapsulated: what the original leaves out, or makes otherwise."""

EXPECTED = {
    "lossy": (uids.HTJ2K, 1, False),
    "jls": (uids.JPEG_LS_LOSSLESS, 1, True),
    "jlsThumbnail": (uids.JPEG_LS_LOSSLESS, 4, True),
    "htj2k": (uids.HTJ2K_LOSSLESS_RPCL, 1, True),
    "htj2kThumbnail": (uids.HTJ2K_LOSSLESS_RPCL, 4, True),
}
"""Transfer syntax, reduction, and whether the (reduced) pixels come back exactly."""


def listed() -> list[tuple[str, str]]:
    """Name of the alternate, and our command."""
    rows = ROW.findall(DOCS.read_text())
    return [(re.findall(r"--alternate-name (\w+)", theirs)[0], ours) for theirs, ours in rows]


def test_all_five_are_listed() -> None:
    assert [name for name, _ in listed()] == list(EXPECTED)


@pytest.mark.parametrize(("name", "command"), listed())
def test_command(name: str, command: str, tmp_path: Path) -> None:
    source, out = copied(tmp_path / "in", *NAMES), tmp_path / "out"
    words = [str(source) if word == "SRC" else word for word in shlex.split(command)]
    result = run(*words, "--out", out)
    assert result.exit_code == 0, result.output
    syntax, reduction, exact = EXPECTED[name]
    sources = {
        str(dataset.SOPInstanceUID): dataset
        for dataset in (pydicom.dcmread(shipped(file)) for file in NAMES)
    }
    seen = 0
    for series in descriptor_of(out).series:
        assert series.transfer_syntax_uid == uids.HTJ2K_LOSSLESS_RPCL
        [announced] = series.alternates
        assert (announced.name, announced.transfer_syntax_uid) == (name, syntax)
        assert announced.exact == (exact and reduction == 1), "lossy is called lossy"
        for frame in series.frames:
            [alternate] = frame.alternates
            assert f"/{name}/" in alternate.url
            [values] = stored_frames(sources[frame.sop_instance_uid], resource="")
            palette = frame.image.photometric_interpretation == "PALETTE COLOR"
            expected = shrink(values, reduction, indices=palette)
            data = (out / alternate.url).read_bytes()
            head = data[: alternate.start].decode()
            assert f"transfer-syntax={syntax}\r\n" in head
            data = data[alternate.start : alternate.start + alternate.length]
            small = replace(frame.image, rows=alternate.rows, columns=alternate.columns)
            back = decoded(data, small, syntax, resource=alternate.url)
            assert back.shape == expected.shape
            if exact or palette or min(back.shape[:2]) < 8:
                assert np.array_equal(back, expected), "indices of a palette are never lossy"
            else:
                assert 0 < np.abs(back.astype(int) - expected).max() < 300
            seen += 1
    assert seen == len(sources)
