"""The same work on a Dask distributed scheduler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
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
import threading
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
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(process.stdout.readline()), daemon=True)
    reader.start()
    reader.join(timeout=60)
    try:
        assert said, "the cluster did not come up in a minute"
        assert said[0], "the cluster ended at once"
        yield said[0].strip()
    finally:
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:  # its workers did not end; the process group goes
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=10)


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


def test_a_scheduler_without_workers_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work would wait there for ever."""
    from distributed import LocalCluster

    from firstlight.prepare import cluster

    monkeypatch.setattr(cluster, "_WORKERS_S", 1)
    source = copied(tmp_path / "in", "CT_small.dcm")
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as empty:
        result = run(source, "--out", tmp_path / "out", "--cluster", empty.scheduler_address)
    assert result.exit_code == 1
    assert "the scheduler has no worker" in result.stderr
