"""The runner and the decoder worker, whose tests are in JavaScript (node:test)."""

from __future__ import annotations

import subprocess

import pytest

from support.patience import WAIT_S
from wasm.node import HERE, node

pytestmark = pytest.mark.node


@pytest.mark.parametrize("script", ["runner.test.js", "worker.test.js"])
def test_in_node(script: str) -> None:
    done = subprocess.run(
        [node(), "--test", str(HERE / script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
