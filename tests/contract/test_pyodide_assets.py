"""What the build hands to the browser's Python: it boots, imports and carries nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_charset_files, get_testdata_file

from support_pyodide import PyodideError, run_in_pyodide

pytestmark = pytest.mark.node

REST_FETCHED = "os.path.exists('/lib/stdlib-rest.zip')"
NUMPY_WHEEL = "numpy-2.4.3-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
WHEELS = Path(__file__).parents[2] / ".cache/wheels"


def test_every_module_imports_with_the_first_library_alone():
    program = f"""
import importlib, json, os, zipfile
names = zipfile.ZipFile('/lib/firstlight.zip').namelist()
for name in names:
    importlib.import_module(name.removesuffix('.pyc').removesuffix('/__init__').replace('/', '.'))
print(json.dumps([names, {REST_FETCHED}]))
"""
    names, rest_fetched = json.loads(run_in_pyodide(program))
    assert "firstlight/adapters/pyodide.pyc" in names
    assert "firstlight/dicom/metadata.pyc" in names, "what is imported later must be there too"
    assert not rest_fetched


def test_the_package_holds_compiled_browser_modules_only():
    program = "import zipfile; print('\\n'.join(zipfile.ZipFile('/lib/firstlight.zip').namelist()))"
    names = run_in_pyodide(program).split()
    assert all(name.endswith(".pyc") for name in names)
    assert not [
        name for name in names if name.split("/")[1] in {"prepare", "serve", "check", "cli"}
    ]
    assert not [name for name in names if "adapters/http" in name or "adapters/file" in name]


def test_pydicom_reads_a_header_as_in_cpython():
    path = get_testdata_file("CT_small.dcm")
    program = f"""
import os, sys, pydicom
dataset = pydicom.dcmread(sys.argv[1], stop_before_pixels=True)
print({REST_FETCHED})
print(dataset.to_json())
"""
    rest_fetched, attributes = run_in_pyodide(program, path).splitlines()
    expected = pydicom.dcmread(path, stop_before_pixels=True).to_json_dict()
    found = json.loads(attributes)
    assert rest_fetched == "False"
    assert expected.keys() == found.keys()
    # Without the private dictionary a private element may be of VR UN.
    public = [tag for tag in expected if int(tag[:4], 16) % 2 == 0]
    assert {tag: found[tag] for tag in public} == {tag: expected[tag] for tag in public}


@pytest.mark.parametrize("name", ["chrH31.dcm", "chrKoreanMulti.dcm", "chrX2.dcm", "chrRuss.dcm"])
def test_pydicom_decodes_names_in_other_scripts(name):
    (path,) = get_charset_files(name)
    program = f"""
import os, sys, pydicom
print(ascii(str(pydicom.dcmread(sys.argv[1], stop_before_pixels=True).PatientName)))
print({REST_FETCHED})
"""
    patient_name, rest_fetched = run_in_pyodide(program, path).splitlines()
    assert patient_name == ascii(str(pydicom.dcmread(path).PatientName))
    assert rest_fetched == "False"


def test_the_rest_of_the_standard_library_comes_on_demand():
    program = f"""
import os
before = {REST_FETCHED}
import csv, email.mime.text, unittest.mock, xml.etree.ElementTree
print(before, {REST_FETCHED}, xml.etree.ElementTree.fromstring('<a b="1"/>').attrib)
"""
    assert run_in_pyodide(program) == "False True {'b': '1'}\n"


def test_an_import_of_something_that_is_nowhere_fetches_nothing():
    program = f"""
import os
try:
    import _winapi
except ModuleNotFoundError as error:
    print(error.name, {REST_FETCHED})
"""
    assert run_in_pyodide(program) == "_winapi False\n"


@pytest.mark.skipif(
    not (WHEELS / NUMPY_WHEEL).exists(), reason="the build could not download NumPy for Pyodide"
)
def test_numpy_loads_through_our_lock_file():
    program = "import numpy; print(numpy.__version__, numpy.arange(12, dtype='int16').sum())"
    assert run_in_pyodide(program, load=("numpy",)) == "2.4.3 66\n"


def test_a_package_outside_the_lock_file_is_refused():
    with pytest.raises(PyodideError, match="scipy"):
        run_in_pyodide("import scipy", load=("scipy",))


def test_a_failing_program_gives_its_traceback():
    with pytest.raises(PyodideError, match=r"(?s)Traceback.*line 2.*ZeroDivisionError"):
        run_in_pyodide("a = 1\na / 0\n")
