"""What makes `prepare` quick: simple values without pydicom, one process, memory used again."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from firstlight.dicom.plain_values import plain_values
from firstlight.prepare.run import _useful_jobs
from unit.prepare_sources import image, saved

if TYPE_CHECKING:
    from pathlib import Path


def element(tag: int, vr: str, value: bytes) -> RawDataElement:
    return RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


@pytest.mark.parametrize(
    ("vr", "data"),
    [
        ("US", b"\1\2"), ("US", b"\1\2\xff\xff"), ("DS", b"1.50"), ("DS", b"-158.13\\7 "),
        ("IS", b"0 "), ("IS", b"-123"), ("CS", b"MONOCHROME2 "), ("LO", b"two words "),
        ("SH", b"ab"), ("UI", b"1.2.840.10008\0"), ("UI", b"1.22"),
    ],
)  # fmt: skip
def test_plain_values_are_those_of_pydicom(vr: str, data: bytes) -> None:
    dataset = pydicom.Dataset()
    dataset[0x00091001] = element(0x00091001, vr, data)
    value = dataset[0x00091001].value
    several = value if isinstance(value, pydicom.multival.MultiValue | list) else [value]
    values = plain_values(vr, data)
    assert values == tuple(several)
    again = pydicom.dataelem.DataElement(0x00091001, vr, value)
    written = pydicom.filebase.DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, False
    pydicom.filewriter.write_data_element(written, again)
    assert written.getvalue()[8:] == data  # so leaving it as it was read changes no file


@pytest.mark.parametrize(
    ("vr", "data"),
    [
        ("US", b""), ("US", b"\1"), ("DS", b" 1.5"), ("DS", b"1.5  "), ("DS", b"+1"),
        ("DS", b"1\\"),
        ("DS", b".5"), ("DS", b"1e3 "), ("DS", b"na"), ("IS", b"+1"), ("IS", b"01"),
        ("IS", b"1.0 "),
        ("IS", b"99999999999 "), ("CS", b"A\\B "), ("CS", b" A"), ("LO", b"A   "), ("LO", b"A\0"),
        ("LO", "ä".encode()), ("LO", b"\x1b$"), ("UI", b"1.2 "), ("PN", b"A^B "), ("OB", b"\1\2"),
    ],
)  # fmt: skip
def test_other_values_are_left_to_pydicom(vr: str, data: bytes) -> None:
    assert plain_values(vr, data) is None


def test_one_file_is_not_worth_a_second_process(tmp_path: Path) -> None:
    big = saved(tmp_path / "1.dcm", image(np.zeros((2048, 2048), np.uint16)))
    other = saved(tmp_path / "2.dcm", image(np.zeros((2048, 2048), np.uint16)))
    assert _useful_jobs([str(big)], 4) == 1
    assert _useful_jobs([str(big), str(other)], 4) == 2


FAULTS = """
import resource, sys
import numpy as np
from firstlight.prepare.dedicated import dedicate_process
if sys.argv[1] == "dedicated":
    dedicate_process()
def frame():
    for _ in range(4):
        held = [np.ones(1 << 20, np.uint8) for _ in range(8)]
frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="an allocator that is left as it is")
def test_a_dedicated_process_uses_its_memory_again() -> None:
    faults = {
        kind: int(subprocess.check_output([sys.executable, "-c", FAULTS, kind], text=True))
        for kind in ("as it is", "dedicated")
    }
    assert faults["dedicated"] < 2000  # of 64 times 2048 pages
    assert faults["dedicated"] <= faults["as it is"]
