"""The pure part of the package does the same in CPython and in the browser's Python."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from contract import pure_contract
from sim import world
from support_pyodide import run_in_pyodide

TESTS = Path(__file__).resolve().parents[1]
SCRIPT = """
import sys, types
world = types.ModuleType("world")
sys.modules["world"] = world
exec({world!r}, world.__dict__)
contract = types.ModuleType("pure_contract")
exec({contract!r}, contract.__dict__)
contract.main(bytes.fromhex({codestream!r}), world)
"""


@pytest.fixture(scope="module")
def codestream() -> bytes:
    y, x = np.mgrid[0:200, 0:260]
    image = ((x * 7 + y * 3) % 4096).astype(np.uint16)
    return imagecodecs.htj2k_encode(image, reversible=True, resolutions=4)


@pytest.mark.node
def test_same_schedule_index_and_descriptor(codestream):
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        pure_contract.main(codestream, world)
    script = SCRIPT.format(
        world=(TESTS / "sim/world.py").read_text(),
        contract=(TESTS / "contract/pure_contract.py").read_text(),
        codestream=codestream.hex(),
    )
    here = heard.getvalue().strip()
    assert len(here) > 1000
    assert run_in_pyodide(script).strip() == here
