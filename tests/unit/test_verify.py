"""`firstlight verify` finds what is wrong, and `prepare` what is in its way."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from firstlight.cli import app
from unit.prepare_sources import copied, descriptor_of, run, tree_of

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

NAMES = ("CT_small.dcm", "emri_small.dcm", "SC_rgb_small_odd.dcm")
_LIMIT_BYTES = 1 << 15
LAYOUTS = ("dicomweb", "jphuri", "part10", "jp2")
PREPARE = [sys.executable, "-c", "from firstlight.cli import main; main()", "prepare"]


def verify(out: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["verify", str(out), "-j1", *options])


def prepared(tmp_path: Path, layout: str = "dicomweb") -> Path:
    out = tmp_path / layout
    assert run(copied(tmp_path / "in", *NAMES), "-o", out, "--layout", layout).exit_code == 0
    return out


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_whole_tree_has_no_complaints(layout: str, tmp_path: Path) -> None:
    result = verify(prepared(tmp_path, layout), "--json")
    report = json.loads(result.stdout)
    assert (report["frames"], report["frames_hashed"], report["complaints"]) == (12, 12, [])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_bit_of_a_frame(layout: str, tmp_path: Path) -> None:
    out = prepared(tmp_path, layout)
    frame = next(s.frames[0] for s in descriptor_of(out).series if s.modality == "CT")
    flip(out / frame.url, frame.start + frame.length - 40)
    result = verify(out)
    assert result.exit_code == 1
    assert frame.url in result.stderr


def test_broken_neighbours_of_frames(tmp_path: Path) -> None:
    """Framing, heads, JSON, twins, missing files: each gets its line."""
    out = prepared(tmp_path)
    multi = next(s for s in descriptor_of(out).series if s.heads)
    flip(out / multi.frames[0].url, 3)
    flip(out / multi.heads.url, 100)
    folder = out / f"studies/{multi.study_instance_uid}/series/{multi.series_instance_uid}"
    (folder / "metadata").write_text("[")
    flip(folder / "instances/index.json.gz", 60)
    (out / multi.frames[1].url).unlink()
    complaints = {
        item["path"].rpartition("/")[2]
        for item in json.loads(verify(out, "--json").stdout)["complaints"]
    }
    assert complaints >= {"1.mht", "2.mht", "metadata", "index.json"}
    assert any(name.startswith("heads-") for name in complaints)


def test_part10_index_beside_another_file(tmp_path: Path) -> None:
    out = prepared(tmp_path, "part10")
    path = next(out.glob("*/*/*.dcm"))
    flip(path, 400)
    assert f"{path.name}.firstlight.json" in verify(out).stderr


def test_no_tree(tmp_path: Path) -> None:
    result = verify(tmp_path)
    assert result.exit_code == 1
    assert "holds no firstlight.json" in result.stderr


@pytest.mark.parametrize("layout", ["dicomweb", "jphuri"])
def test_the_descriptor_encloses_the_first_level(layout: str, tmp_path: Path) -> None:
    out = prepared(tmp_path, layout)
    descriptor = descriptor_of(out)
    frame = descriptor.series[0].frames[0]
    body = (out / frame.url).read_bytes()[frame.start :]
    assert descriptor.first_level == body[: frame.level_ends[0]] != b""
    text = (out / "firstlight.json").read_text()
    record = json.loads(text)
    record["first_level"] = record["first_level"].swapcase()
    (out / "firstlight.json").write_text(json.dumps(record))
    result = verify(out)
    assert result.exit_code == 1
    assert "first_level" in result.stderr


def test_no_first_level_is_enclosed_that_the_page_could_not_show(tmp_path: Path) -> None:
    out = tmp_path / "out"
    source = copied(tmp_path / "in", *NAMES)
    assert run(source, "-o", out, "--format", "jpegls").exit_code == 0
    assert descriptor_of(out).first_level == b""


def test_heads_are_the_beginnings_of_frames(tmp_path: Path) -> None:
    out = prepared(tmp_path)
    series = next(s for s in descriptor_of(out).series if s.heads)
    heads = (out / series.heads.url).read_bytes()
    assert len(heads) == series.heads.length
    pieces = sorted(
        (piece.start, before, piece.stop, frame)
        for frame in series.frames
        for before, piece in zip((0, *(p.stop for p in frame.heads)), frame.heads, strict=False)
    )
    offset = 0
    for start, before, stop, frame in pieces:
        body = (out / frame.url).read_bytes()
        assert start == offset
        assert stop in frame.level_ends
        offset += stop - before
        assert heads[start:offset] == body[frame.start + before : frame.start + stop]
    assert offset == len(heads)
    # the first pass has a piece of every frame before any frame's second
    assert [before for _, before, _, _ in pieces][: len(series.frames)] == [0] * len(series.frames)


def test_heads_follow_the_series(tmp_path: Path) -> None:
    """A frame more gives another file under another name, and the old one goes."""
    source = copied(tmp_path / "in", "emri_small.dcm")
    out = tmp_path / "out"
    assert run(source, "-o", out, "--no-heads").exit_code == 0
    assert not list(out.rglob("heads-*"))
    assert run(source, "-o", out).exit_code == 0
    [first] = out.rglob("heads-*")
    assert run(source, "-o", out).exit_code == 0
    assert list(out.rglob("heads-*")) == [first]


def test_other_choices_need_force(tmp_path: Path) -> None:
    source, out = copied(tmp_path / "in", *NAMES), tmp_path / "out"
    assert run(source, "-o", out).exit_code == 0
    before = tree_of(out)
    refused = run(source, "-o", out, "--format", "jpegls")
    assert refused.exit_code == 1
    assert refused.stderr.count("--force") == len(NAMES)
    assert tree_of(out) == before
    assert run(source, "-o", out, "--format", "jpegls", "--force").exit_code == 0
    assert run(source, "-o", tmp_path / "fresh", "--format", "jpegls").exit_code == 0
    assert tree_of(out) == tree_of(tmp_path / "fresh")


def test_a_foreign_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm", "emri_small.dcm")
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert run(source, "-o", whole, "--layout", "jphuri").exit_code == 0
    out.mkdir()
    (out / "image1.jph").write_text("mine")
    result = run(source, "-o", out, "--layout", "jphuri")
    assert result.exit_code == 1
    assert "image1.jph holds something else; --force replaces it" in result.stderr
    assert (out / "image1.jph").read_text() == "mine"
    assert (out / "image2-1.jph").exists(), "the rest is done"
    assert run(source, "-o", out, "--layout", "jphuri", "--force").exit_code == 0
    now, expected = tree_of(out), tree_of(whole)
    assert now.keys() == expected.keys()
    changed = {name for name in now if now[name] != expected[name]}
    assert changed <= {"firstlight.json"}, "where series stand in the order they came"


def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the same error at the same calls."""
    source = copied(tmp_path / "in", *NAMES, "examples_rgb_color.dcm")
    command = [*PREPARE, str(source), "-o", str(tmp_path / "out"), "-j1"]

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT_BYTES, _LIMIT_BYTES))

    full = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    lines = [line for line in full.stderr.splitlines() if line.startswith("not prepared")]
    assert any("examples_rgb_color.dcm: File too large" in line for line in lines)
    assert all(line.endswith("File too large") for line in lines)
    assert not list((tmp_path / "out" / ".firstlight").glob("unfinished/*"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert run(source, "-o", tmp_path / "fresh", "-j1").exit_code == 0
    assert tree_of(tmp_path / "out") == tree_of(tmp_path / "fresh")
