"""The command: what it skips, resumes, refuses and reports."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.config import disable_value_validation

from unit.prepare_sources import (
    copied,
    descriptor_of,
    image,
    run,
    saved,
    shipped,
    summary_of,
    tree_of,
)

SLICES = 40


def series_of(folder: Path, count: int = SLICES, first: int = 0) -> Path:
    """A series of noise, each slice of its own."""
    random = np.random.default_rng(3)
    for index in range(count):
        values = random.integers(0, 4096, (200, 200), dtype=np.uint16)
        uid = f"2.25.1.1.{first + index + 1}"
        dataset = image(values, BitsStored=12, HighBit=11, SOPInstanceUID=uid)
        dataset.InstanceNumber = first + index + 1
        saved(folder / f"{first + index}.dcm", dataset)
    return folder


def times_of(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def test_summary(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm", "MR_small.dcm")
    summary = summary_of(run(source, "-o", tmp_path / "out", "--json"))
    assert summary["files_found"] == summary["files_prepared"] == summary["frames"] == 2
    assert summary["pixel_bytes"] == 2 * (128 * 128 + 64 * 64)
    frames = [f for s in descriptor_of(tmp_path / "out").series for f in s.frames]
    assert summary["bytes_out"] == sum(frame.length for frame in frames)
    assert summary["bytes_in"] == sum(path.stat().st_size for path in source.iterdir())
    assert summary["ratio"] == round(summary["pixel_bytes"] / summary["bytes_out"], 3)
    assert summary["failures"] == []


@pytest.mark.parametrize("layout", ["dicomweb", "jphuri"])
def test_second_run_touches_nothing(layout: str, tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm", "emri_small.dcm")
    arguments = (source, "-o", tmp_path / "out", "--layout", layout, "--json")
    assert run(*arguments).exit_code == 0
    before = times_of(tmp_path / "out")
    summary = summary_of(run(*arguments))
    assert (summary["files_prepared"], summary["files_already_there"]) == (0, 2)
    assert times_of(tmp_path / "out") == before


def test_what_was_removed_is_made_again(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm", "MR_small.dcm")
    run(source, "-o", tmp_path / "out")
    before = tree_of(tmp_path / "out")
    next((tmp_path / "out").rglob("*.mht")).unlink()
    next((tmp_path / "out").rglob("instances/*/metadata")).write_bytes(b"[{}]")
    (tmp_path / "out" / "firstlight.json").unlink()
    summary = summary_of(run(source, "-o", tmp_path / "out", "--json"))
    assert 1 <= summary["files_prepared"] <= 2
    assert tree_of(tmp_path / "out") == before


def test_adding_to_a_tree_keeps_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(copied(tmp_path / "b", "MR_small.dcm"), "-o", out)
    run(series_of(tmp_path / "c", 3), "-o", out)
    run(copied(tmp_path / "a", "CT_small.dcm"), series_of(tmp_path / "d", 2, first=3), "-o", out)
    series = descriptor_of(out).series
    assert [(s.modality, len(s.frames)) for s in series] == [("MR", 1), ("", 5), ("CT", 1)]
    listed = json.loads((out / "studies" / "index.json").read_text())
    assert len(listed) == 3


def test_series_stand_in_the_order_named(tmp_path: Path) -> None:
    ct, mr = shipped("CT_small.dcm"), shipped("MR_small.dcm")
    run(mr, ct, "-o", tmp_path / "1")
    run(ct, mr, "-o", tmp_path / "2")
    assert [s.modality for s in descriptor_of(tmp_path / "1").series] == ["MR", "CT"]
    assert [s.modality for s in descriptor_of(tmp_path / "2").series] == ["CT", "MR"]


def test_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    source = series_of(tmp_path / "in", 120)
    assert sum(path.stat().st_size for path in source.iterdir()) > 8 << 20, "enough for two"
    assert run(source, "-o", tmp_path / "1", "-j1").exit_code == 0
    assert run(source, "-o", tmp_path / "2", "-j2").exit_code == 0
    assert tree_of(tmp_path / "1") == tree_of(tmp_path / "2")


@pytest.mark.parametrize("layout", ["dicomweb", "jphuri", "part10", "jp2"])
def test_killed_and_resumed_is_as_if_never_killed(layout: str, tmp_path: Path) -> None:
    source = series_of(tmp_path / "in")
    (source / "20.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"broken")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(source, "-o", whole, "--layout", layout)
    command = [sys.executable, "-c", "from firstlight.cli import main; main()", "prepare"]
    process = subprocess.Popen(
        [*command, str(source), "-o", str(killed), "--layout", layout, "-j1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    receipts = killed / ".firstlight" / "receipts"
    while process.poll() is None and len(list(receipts.glob("*.json"))) <= 5:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "firstlight.json").exists(), "it is written last"
    expected = tree_of(whole)
    for name, data in tree_of(killed).items():
        if "unfinished" not in name:
            assert data == expected[name], "what is visible is whole"
    run(source, "-o", killed, "--layout", layout)
    assert tree_of(killed) == expected


def test_killed_ten_times_at_any_moment(tmp_path: Path) -> None:
    """Whenever it is killed, what is visible is whole; in the end it is the same tree."""
    source = series_of(tmp_path / "in", 60)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    started = time.perf_counter()
    run(source, "-o", whole, "-j1", "--alternate", "jls")
    seconds = time.perf_counter() - started
    expected = tree_of(whole)
    command = [sys.executable, "-c", "from firstlight.cli import main; main()", "prepare"]
    command += [str(source), "-o", str(killed), "-j2", "--alternate", "jls"]
    moments, kills = random.Random(5), 0
    for _ in range(10):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            process.communicate(timeout=1 + moments.random() * seconds / 4)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        for name, data in tree_of(killed).items():
            if "unfinished" not in name and name != "firstlight.json":
                assert data == expected[name] or "/heads-" in name or "index.json" in name, name
    assert kills, "it was never killed"
    run(source, "-o", killed, "-j1", "--alternate", "jls")
    assert tree_of(killed) == expected


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    source = series_of(tmp_path / "in", 120)
    script = (
        "import os, sys\n"
        "from firstlight.prepare.workers import workers\n"
        "def work(item):\n"
        "    print(os.getpid(), flush=True)\n"
        "    sys.stdin.read()\n"
        "if __name__ == '__main__':\n"
        "    with workers(2) as pool:\n"
        "        list(pool.run(work, [1]))\n"
    )
    path = tmp_path / "script.py"
    path.write_text(script)
    assert source.is_dir()
    process = subprocess.Popen(
        [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    process.kill()
    process.wait()
    rest = process.stdout.read()  # ends when the last holder of the pipe, the worker, is gone
    assert rest == ""
    assert worker != process.pid


def test_bad_files_are_listed_and_the_rest_is_done(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm", "rtplan.dcm", "rtdose.dcm")
    (source / "cut.dcm").write_bytes(shipped("MR_small.dcm").read_bytes()[:5000])
    (source / "empty.dcm").write_bytes(b"")
    (source / "notes.txt").write_text("not a picture")
    (source / "DICOMDIR").write_bytes(shipped("CT_small.dcm").read_bytes())
    with disable_value_validation():
        evil = image(np.zeros((8, 8), np.uint8), StudyInstanceUID="../../evil")
        saved(source / "uid.dcm", evil)
    result = run(source, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    summary = json.loads(result.stdout)
    reasons = {Path(f["path"]).name: (f["type"], f["reason"]) for f in summary["failures"]}
    assert reasons == {
        "cut.dcm": ("DecodeError", reasons["cut.dcm"][1]),
        "empty.dcm": ("NotDicom", "not a DICOM Part 10 file"),
        "rtdose.dcm": ("UnsupportedPixels", "32 bits allocated do not fit"),
        "rtplan.dcm": ("NotDicom", "no image: Rows is missing or zero"),
        "uid.dcm": ("NotDicom", "StudyInstanceUID is not a UID"),
    }
    assert "frame 1" in reasons["cut.dcm"][1]
    assert result.stderr.count("not prepared: ") == 5
    assert summary["files_passed_over"] == 2
    assert [s.modality for s in descriptor_of(tmp_path / "out").series] == ["CT"]
    assert not (tmp_path / "evil").exists()


def test_no_patient_in_any_output(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm", "rtdose.dcm")
    dataset = pydicom.dcmread(shipped("MR_small.dcm"))
    dataset.PatientName, dataset.PatientID = "Secret^Name", "SECRET-ID"
    dataset.PixelData = dataset.PixelData[:100]
    saved(source / "broken.dcm", dataset)
    command = [sys.executable, "-c", "from firstlight.cli import main; main()", "prepare"]
    done = subprocess.run(
        [*command, str(source), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "broken.dcm" in said
    assert "secret" not in said.lower()
    assert "CompressedSamples" not in said, "the patient of CT_small.dcm"
    assert "Traceback" not in said


def test_same_content_or_same_pixels_is_a_duplicate(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "MR_small.dcm", "MR_small_RLE.dcm", "CT_small.dcm")
    (source / "copy.dcm").write_bytes(shipped("MR_small.dcm").read_bytes())
    summary = summary_of(run(source, "-o", tmp_path / "out", "--json"))
    assert (summary["files_prepared"], summary["files_duplicate"]) == (2, 2)


def test_same_uid_with_other_pixels_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "in" / "1.dcm", image(np.zeros((8, 8), np.uint8)))
    saved(tmp_path / "in" / "2.dcm", image(np.ones((8, 8), np.uint8)))
    result = run(tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    [failure] = json.loads(result.stdout)["failures"]
    assert failure["path"].endswith("2.dcm")
    assert "SOP Instance UID" in failure["reason"]
    assert len(descriptor_of(tmp_path / "out").series[0].frames) == 1


def test_missing_uids_are_made_the_same_each_time(tmp_path: Path) -> None:
    for index in range(2):
        dataset = image(np.full((8, 8), index, np.uint8), SeriesNumber=4, StudyID="5")
        del dataset.StudyInstanceUID, dataset.SeriesInstanceUID
        dataset.SOPInstanceUID = f"2.25.1.1.{index + 1}"
        saved(tmp_path / "in" / f"{index}.dcm", dataset)
    assert run(tmp_path / "in", "-o", tmp_path / "1").exit_code == 0
    assert run(tmp_path / "in", "-o", tmp_path / "2").exit_code == 0
    assert tree_of(tmp_path / "1") == tree_of(tmp_path / "2")
    [series] = descriptor_of(tmp_path / "1").series
    assert len(series.frames) == 2, "files that tell the same of their series stay together"
    assert series.study_instance_uid.startswith("2.25.")


def test_a_tree_holds_one_layout(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm")
    run(source, "-o", tmp_path / "out")
    result = run(source, "-o", tmp_path / "out", "--layout", "jphuri")
    assert result.exit_code == 1
    assert "holds the layout dicomweb already" in result.stderr


def test_a_foreign_descriptor_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "firstlight.json").write_text("{}")
    result = run(copied(tmp_path / "in", "CT_small.dcm"), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert (tmp_path / "out" / "firstlight.json").read_text() == "{}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.dcm", "-o", "out"),
        (".",),
        (".", "-o", "out", "--layout", "zip"),
        (".", "-o", "out", "--layout", "jp2", "--format", "jpegls"),
        (".", "-o", "out", "--format", "htj2k", "--progression", "LRCP"),
        (".", "-o", "out", "--precinct", "100"),
        (".", "-o", "out", "--near", "300"),
        (".", "-o", "out", "--ratios", "5,10"),
        (".", "-o", "out", "--recompress", "gif"),
        (".", "-o", "out", "--alternate", "mine"),
        (".", "-o", "out", "--alternate", "x=jpegls:path=../up"),
        (".", "-o", "out", "--alternate", "jls", "--layout", "part10"),
        (".", "-o", "out", "--jobs", "0"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert run(*arguments).exit_code == 2


def test_nothing_found(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    result = run(tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no DICOM file found" in result.stderr


def test_unwritable_target(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(copied(tmp_path / "in", "CT_small.dcm"), "-o", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.stderr.count("\n") <= 2


def test_real_slices_keep_their_published_hashes(shared_data: Path, tmp_path: Path) -> None:
    """JPEG-LS sources; shown from the lowest position, which is the last file."""
    expected = json.loads((shared_data / "expected.json").read_text())
    names = [f"volumes/ct-acrin-135/{number:04}.dcm" for number in (1, 2, 3, 70, 134, 135)]
    result = run(*[shared_data / name for name in names], "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    [series] = descriptor_of(tmp_path / "out").series
    found = [frame.sha256 for frame in series.frames]
    assert found == [expected[name]["decoded"]["frame1"] for name in reversed(names)]
