"""All real files there are: every pixel hash after preparing and decoding is the published one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from typer.testing import CliRunner

from firstlight.cli import app
from firstlight.prepare.proof import decoded
from unit.prepare_sources import descriptor_of, run

if TYPE_CHECKING:
    from pathlib import Path

NOT_PART_10 = {"dicom/JLSL_RGB_ILV0.dcm"}
TOO_WIDE = {"dicom/parametric_map_float.dcm", "dicom/rtdose.dcm", "dicom/rtdose_rle.dcm"}


def batches(names: list[str], expected: dict[str, Any], folder: Path) -> list[list[str]]:
    """Files with one SOP Instance UID and other pixels cannot lie in one tree."""
    trees: list[tuple[dict[str, str], list[str]]] = []
    for name in names:
        header = pydicom.dcmread(folder / name, stop_before_pixels=True)
        uid, pixels = str(header.get("SOPInstanceUID")), expected[name]["decoded"]["sha256"]
        for held, batch in trees:
            if held.setdefault(uid, pixels) == pixels:
                batch.append(name)
                break
        else:
            trees.append(({uid: pixels}, [name]))
    return [batch for _, batch in trees]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("layout", ["dicomweb", "part10"])
def test_round_trip_of_everything(layout: str, shared_data: Path, tmp_path: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())
    folders = ("wg04/", "dicom/", "htj2k/", "big/", "volumes/mr-brain-19/")
    names = [
        name
        for name in expected
        if name.startswith(folders) and name.endswith(".dcm") and name not in NOT_PART_10 | TOO_WIDE
    ]
    found = set()
    for number, batch in enumerate(batches(names, expected, shared_data)):
        out = tmp_path / str(number)
        sources = [shared_data / name for name in batch]
        result = run(*sources, "-o", out, "--layout", layout)
        assert result.exit_code == 0, result.output
        found |= pixel_hashes(out)
    wanted = {expected[name]["decoded"]["sha256"]: name for name in names}
    assert not {name for sha256, name in wanted.items() if sha256 not in found}


def pixel_hashes(out: Path) -> set[str]:
    """The hash of all frames of each instance, decoded from the tree."""
    digests: dict[str, Any] = {}
    for series in descriptor_of(out).series:
        for frame in sorted(series.frames, key=lambda frame: frame.frame_number):
            data = (out / frame.url).read_bytes()[frame.start : frame.start + frame.length]
            values = decoded(data, frame.image, series.transfer_syntax_uid, resource=frame.url)
            digest = digests.setdefault(frame.sop_instance_uid, hashlib.sha256())
            digest.update(values.tobytes())
    return {digest.hexdigest() for digest in digests.values()}


def test_hostile_files_never_stop_the_rest(shared_data: Path, tmp_path: Path) -> None:
    """Each gets one line, none a traceback, and what was written is whole."""
    sources = (shared_data / "negative", shared_data / "dicom/CT_small.dcm")
    result = run(*sources, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    summary = json.loads(result.stdout)
    assert summary["files_prepared"] > 1
    assert len(summary["failures"]) > 10
    assert result.stderr.count("not prepared: ") == result.stderr.count("\n")
    assert not {f["type"] for f in summary["failures"] if "unexpected" in f["reason"]}
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "out")]).exit_code == 0
