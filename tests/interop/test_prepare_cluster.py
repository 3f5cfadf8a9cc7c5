"""The same work on a Dask distributed scheduler."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from unit.prepare_sources import copied, run, summary_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("distributed", reason="the extra cluster is not installed")

NAMES = ("CT_small.dcm", "emri_small.dcm", "SC_rgb_small_odd.dcm", "rtdose.dcm", "MR_small.dcm")
PREPARE = [sys.executable, "-c", "from firstlight.cli import main; main()", "prepare"]
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers in processes of their own, as on a cluster."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.communicate()


def test_same_tree_as_without(scheduler: str, tmp_path: Path) -> None:
    """And a bad file is listed with the reason that its worker gave."""
    source = copied(tmp_path / "in", *NAMES)
    there = subprocess.run(
        [*PREPARE, source, "--out", tmp_path / "there", "--cluster", scheduler, "--json"],
        capture_output=True,
        check=False,
        timeout=100,
    )
    here = run(source, "--out", tmp_path / "here", "--jobs", "1", "--json")
    assert there.returncode == here.exit_code == 1, there.stderr
    assert json.loads(there.stdout)["failures"] == summary_of(here)["failures"]
    assert tree_of(tmp_path / "there") == tree_of(tmp_path / "here")


def test_no_scheduler(tmp_path: Path) -> None:
    source = copied(tmp_path / "in", "CT_small.dcm")
    result = run(source, "--out", tmp_path / "out", "--cluster", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert "no scheduler at tcp://127.0.0.1:9" in result.stderr
