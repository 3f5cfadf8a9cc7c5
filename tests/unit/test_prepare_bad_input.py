"""What stands in the way: other syntaxes, other content, no room. The rest is done, and said."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import fsspec
import numpy as np
import pydicom
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from firstlight.dicom import uids
from unit.prepare_sources import (
    copied,
    descriptor_of,
    image,
    part10,
    run,
    saved,
    summary_of,
    tree_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREPARE = [sys.executable, "-c", "from firstlight.cli import main; main()", "prepare"]


def noise(folder: Path, count: int) -> Path:
    generator = np.random.default_rng(5)
    for number in range(1, count + 1):
        values = generator.integers(0, 256, (150, 150), dtype=np.uint8)
        saved(folder / f"{number}.dcm", image(values, SOPInstanceUID=f"2.25.1.1.{number}"))
    return folder


def test_one_series_in_many_syntaxes_is_one_series(tmp_path: Path) -> None:
    """Sources of a series may be coded as they like; kept frames stand under their own syntax."""
    names = ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm")
    source = copied(tmp_path / "in", *names)
    for number, name in enumerate(names):
        dataset = pydicom.dcmread(source / name)
        dataset.SOPInstanceUID = f"2.25.1.1.{number}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(source / name)
    summary = summary_of(run(source, "-o", tmp_path / "all", "--json"))
    [series] = descriptor_of(tmp_path / "all").series
    assert len(series.frames) == 3
    assert len({frame.sha256 for frame in series.frames}) == 1, "three codings of one picture"
    assert [(row["files"], row["frames"]) for row in summary["by_syntax"]] == [(1, 1)] * 3
    assert sum(row["bytes_out"] for row in summary["by_syntax"]) == summary["bytes_out"]
    options = ("--recompress", "uncompressed")
    assert run(source, "-o", tmp_path / "kept", *options).exit_code == 0
    found = {s.transfer_syntax_uid: len(s.frames) for s in descriptor_of(tmp_path / "kept").series}
    assert found == {
        uids.HTJ2K_LOSSLESS_RPCL: 1,
        uids.RLE_LOSSLESS: 1,
        uids.JPEG_2000_LOSSLESS: 1,
    }


@pytest.mark.parametrize("layout", ["dicomweb", "jphuri", "part10", "jp2"])
def test_what_is_not_ours_is_not_overwritten(layout: str, tmp_path: Path) -> None:
    """A file in the way of one source stops that one alone, until ``--force``."""
    source = noise(tmp_path / "in", 3)
    options = ("--layout", layout)
    assert run(source, "-o", tmp_path / "whole", *options).exit_code == 0
    whole = tree_of(tmp_path / "whole")
    frames = {frame.url for frame in descriptor_of(tmp_path / "whole").series[0].frames}
    taken = sorted(frames)[1]
    theirs = tmp_path / "out" / taken
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    result = run(source, "-o", tmp_path / "out", *options)
    assert result.exit_code == 1
    assert f"{taken} holds something else" in result.stderr
    assert theirs.read_bytes() == b"theirs"
    assert len(descriptor_of(tmp_path / "out").series[0].frames) == 2
    assert run(source, "-o", tmp_path / "out", *options, "--force").exit_code == 0
    assert tree_of(tmp_path / "out") == whole


def test_a_full_disk(tmp_path: Path) -> None:
    """On a disk of 96 KB, then of 8 MB: what was written is whole, and the next run goes on."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    source, disk = noise(tmp_path / "in", 8), tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=96k none {disk}"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    prepare = [*PREPARE, str(source), "-o", str(disk), "-j1"]
    quoted = " ".join(f"'{word}'" for word in prepare)
    script = f"""
        {mount} || exit 9
        {quoted} 2>{tmp_path}/said; echo $? >{tmp_path}/code
        cp -r {disk} {tmp_path}/full
        mount -o remount,size=8m {disk}
        {quoted} && cp -r {disk} {tmp_path}/after
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False,
        timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "code").read_text().strip() == "1"
    said = (tmp_path / "said").read_text()
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert run(source, "-o", tmp_path / "whole").exit_code == 0
    whole = tree_of(tmp_path / "whole")
    partial = tree_of(tmp_path / "full")
    frames = [path for path in partial if path.endswith(".mht")]
    assert 0 < len(frames) < 8
    assert all(partial[path] == whole[path] for path in frames)
    assert not any("unfinished" in path for path in partial)
    assert tree_of(tmp_path / "after") == whole


class FullStore(MemoryFileSystem):
    """A store in memory with room for so many bytes."""

    protocol = "full"
    store: dict[str, object] = {}  # noqa: RUF012 - the base class shares one among instances
    pseudo_dirs = [""]  # noqa: RUF012
    room = 0

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        held = sum(len(item.getvalue()) for item in self.store.values())
        if held + len(value) > FullStore.room:
            raise OSError(errno.ENOSPC, "No space left in the store")
        super().pipe_file(path, value, mode=mode, **kwargs)


@pytest.fixture
def full_store() -> Iterator[type[FullStore]]:
    fsspec.register_implementation("full", FullStore, clobber=True)
    FullStore.store.clear()
    yield FullStore
    FullStore.store.clear()


def test_a_full_store(full_store: type[FullStore], tmp_path: Path) -> None:
    source = noise(tmp_path / "in", 6)
    full_store.room = 90_000
    result = run(source, "-o", "full://tree", "-j1")
    assert result.exit_code == 1
    assert "No space left in the store" in result.stderr
    full_store.room = 10_000_000
    assert run(source, "-o", "full://tree", "-j1").exit_code == 0
    assert run(source, "-o", tmp_path / "whole").exit_code == 0
    held = {
        name.removeprefix("full://tree/").removeprefix("/tree/"): item.getvalue()
        for name, item in full_store.store.items()
    }
    assert held == tree_of(tmp_path / "whole")


def test_fragments_under_a_native_syntax_are_not_taken_for_pixels(tmp_path: Path) -> None:
    """Their item headers would be the first pixels."""
    values = np.zeros((8, 8), np.uint8)
    data = part10(image(values))
    native = b"\xe0\x7f\x10\x00OW\0\0" + (64).to_bytes(4, "little")
    assert native in data
    item = b"\xfe\xff\x00\xe0"
    fragments = item + bytes(4) + item + (64).to_bytes(4, "little")
    head, pixels = data.split(native)
    path = tmp_path / "in.dcm"
    path.write_bytes(head + native[:8] + b"\xff" * 4 + fragments + pixels)
    result = run(path, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert summary_of(result)["failures"][0]["type"] == "NotDicom"
