"""Python from the memory snapshot does what Python from modules does; a bad one is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from contract.test_pure_in_pyodide import SCRIPT
from support_pyodide import PyodideError, run_in_pyodide

pytestmark = pytest.mark.node

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / ".cache/python/public"
TESTS = ROOT / "tests"


@pytest.fixture(scope="module")
def snapshot() -> bytes:
    run_in_pyodide("", snapshot="built")  # builds what is not there
    (file,) = ASSETS.glob("*/snapshot-*.bin")
    return file.read_bytes()


def test_everything_is_in_memory_and_nothing_in_files():
    program = """
import json, os, sys
import firstlight.adapters.pyodide, firstlight.sources.part10
print(json.dumps([os.listdir('/lib'), sorted(sys.modules)]))
"""
    files, modules = json.loads(run_in_pyodide(program, snapshot="built"))
    assert not [name for name in files if "firstlight" in name or "rest" in name]
    assert "firstlight.schedule.scheduler" in modules
    assert not [name for name in modules if name.startswith(("pydicom", "fill_snapshot"))]


def test_it_schedules_and_indexes_as_python_from_modules():
    import imagecodecs
    import numpy as np

    y, x = np.mgrid[0:200, 0:260]
    codestream = imagecodecs.htj2k_encode(((x * 7 + y * 3) % 4096).astype(np.uint16), resolutions=4)
    script = SCRIPT.format(
        world=(TESTS / "sim/world.py").read_text(),
        contract=(TESTS / "contract/pure_contract.py").read_text(),
        codestream=codestream.hex(),
    )
    from_snapshot = run_in_pyodide(script, snapshot="built")
    assert len(from_snapshot) > 1000
    assert from_snapshot == run_in_pyodide(script)


def test_the_rest_of_the_standard_library_comes_on_demand():
    program = """
import os
before = os.path.exists('/lib/stdlib-rest.zip')
import csv, xml.etree.ElementTree
print(before, os.path.exists('/lib/stdlib-rest.zip'), next(csv.reader(['a,b'])))
"""
    assert run_in_pyodide(program, snapshot="built") == "False True ['a', 'b']\n"


def test_pydicom_is_mounted_when_it_is_needed(snapshot):
    path = get_testdata_file("CT_small.dcm")
    zips = [str(next(ASSETS.glob(f"*/{name}-*.zip"))) for name in ("firstlight", "pydicom")]
    program = """
import sys
try:
    import pydicom
except ModuleNotFoundError:
    print('not yet')
import shutil
for name, source in zip(('firstlight', 'pydicom'), sys.argv[2:]):
    sys.path.append(shutil.copyfile(source, f'/lib/{name}.zip'))
sys.path_importer_cache.clear()
import pydicom, firstlight.dicom.metadata
print(pydicom.dcmread(sys.argv[1], stop_before_pixels=True).SOPInstanceUID)
"""
    lines = run_in_pyodide(program, path, *zips, snapshot="built").splitlines()
    assert lines == ["not yet", pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID]


@pytest.mark.skipif(
    not list((ROOT / ".cache/wheels").glob("numpy-*.whl")), reason="no NumPy for Pyodide here"
)
def test_numpy_loads_into_it():
    program = "import numpy; print(numpy.arange(12, dtype='int16').sum())"
    assert run_in_pyodide(program, load=("numpy",), snapshot="built") == "66\n"


def test_every_start_draws_other_numbers():
    program = "import random; print([random.random() for _ in range(4)])"
    assert len({run_in_pyodide(program, snapshot="built") for _ in range(2)}) == 2


def test_timers_and_tasks_run():
    program = """
import asyncio
async def work():
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.sleep(0.01, 'woken'))
    return task.result()
print(await work())
"""
    assert run_in_pyodide(program, snapshot="built") == "woken\n"


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_bit_wrong(content: bytes) -> bytes:
    at = len(content) * 3 // 4
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def of_another_pyodide(content: bytes) -> bytes:
    _, header_bytes, _, _ = struct.unpack_from("<4I", content)
    header = json.loads(content[16 : 16 + header_bytes])
    build_id = header["buildId"]
    return content.replace(build_id.encode(), build_id[::-1].encode(), 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, "cut short|no snapshot"),
        (one_bit_wrong, "not the one that was saved"),
        (of_another_pyodide, "another Pyodide"),
        (lambda _: b"<!doctype html>" * 100, "no snapshot"),
        (lambda _: b"", "no snapshot"),
    ],
)
def test_a_bad_snapshot_is_refused(snapshot, tmp_path, spoil, said):
    bad = tmp_path / "bad.bin"
    bad.write_bytes(spoil(snapshot))
    assert bad.read_bytes() != snapshot
    with pytest.raises(PyodideError, match=said):
        run_in_pyodide("print('started')", snapshot=bad)
