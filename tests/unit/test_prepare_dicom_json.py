"""DICOM JSON made from raw elements: the same, value for value, as pydicom's own."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from firstlight.dicomweb.metadata import all_frame_attributes, read_records
from firstlight.prepare.dicom_json import dicom_json, json_text, picked_json
from firstlight.prepare.work import quiet_pydicom
from unit.prepare_sources import descriptor_of, image, part10, run, saved

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

INLINE_BYTES = 1 << 12
KEYWORDS = ("PatientName", "StudyDate", "Rows", "InstanceNumber", "StudyInstanceUID", "Modality")


def bulk_data(element: DataElement) -> str:
    return f"bulk/{element.tag:08X}/{len(element.value)}"


def by_pydicom(header: Dataset) -> dict[str, Any]:
    return header.to_json_dict(
        bulk_data_threshold=INLINE_BYTES,
        bulk_data_element_handler=bulk_data,
        suppress_invalid_tags=True,
    )


def part10_files(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                if stream.read(132)[128:] == b"DICM":
                    found.append(path)
    return found


def without_what_json_lacks(record: dict[str, Any]) -> dict[str, Any]:
    """Group lengths are not in the JSON model, and numbers that JSON cannot write are text."""
    plain = {}
    for tag, element in record.items():
        if tag.endswith("0000"):
            continue
        if element["vr"] == "SQ":
            items = [without_what_json_lacks(item) for item in element["Value"]]
            plain[tag] = {"vr": "SQ", "Value": items}
        elif element["vr"] in ("FL", "FD", "DS") and "Value" in element:
            texts = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
            values = [texts.get(str(value), value) for value in element["Value"]]
            plain[tag] = {"vr": element["vr"], "Value": values}
        else:
            plain[tag] = element
    return plain


def nothing_lost(header: Dataset, record: dict[str, Any]) -> None:
    """Every element is there with a value, unless it is empty, also within sequences."""
    assert set(record) == {f"{tag:08X}" for tag, _ in header.items() if tag & 0xFFFF}
    for tag, held in header.items():
        if tag & 0xFFFF == 0:
            continue
        found = record[f"{tag:08X}"]
        if found["vr"] == "SQ":
            for item, inner in zip(header[tag].value, found["Value"], strict=True):
                nothing_lost(item, inner)
        elif isinstance(held, RawDataElement) and (held.value or b"").strip(b" \0\\"):
            assert set(found) & {"Value", "InlineBinary", "BulkDataURI"}, tag


def compare_all(paths: list[Path]) -> None:
    compared = 0
    with quiet_pydicom():
        for path in paths:
            try:
                expected = by_pydicom(pydicom.dcmread(path, stop_before_pixels=True))
            except Exception:  # broken on purpose
                continue
            header = pydicom.dcmread(path, stop_before_pixels=True)
            record = dicom_json(header, bulk_data=bulk_data, max_inline_bytes=INLINE_BYTES)
            json.dumps(record, allow_nan=False)
            understood = {tag: record.get(tag) for tag in without_what_json_lacks(expected)}
            assert json.dumps(understood) == json.dumps(without_what_json_lacks(expected)), path
            nothing_lost(pydicom.dcmread(path, stop_before_pixels=True), record)
            in_order = dict(sorted(record.items()))
            text = json.dumps(in_order, ensure_ascii=False, separators=(",", ":"))
            assert json_text(record) == text, path.name
            picked = picked_json(pydicom.dcmread(path, stop_before_pixels=True), KEYWORDS)
            for tag, element in picked.items():
                assert json.dumps(element) == json.dumps(record[tag]), path.name
            compared += 1
    assert compared > len(paths) // 2


def test_as_pydicom_of_all_its_own_files() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    compare_all(part10_files(folder))


def test_as_pydicom_of_all_shared_files(shared_data: Path) -> None:
    compare_all([p for name in ("dicom", "wg04") for p in part10_files(shared_data / name)])


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("vr", ["CS", "DA", "TM", "AS", "LO", "SH", "ST", "LT", "UI", "DS", "IS"])
def test_as_pydicom_of_unusual_values(vr: str, little_endian: bool) -> None:
    values = [
        b"", b" ", b"\0", b"\0\0", b"A ", b" A", b"A\\B", b"\\", b"A\\", b"1", b"1 ", b" 1",
        b"1\\2",
        b"1 \\2", b"1\\ 2", b"+1", b"-1", b"1.5", b".5", b"1.", b"1e3", b"1E-3 ", b"nan", b"inf",
        b"1_0", b"0x1", b"1.2.3", b"1.2.3\0", b"1.02", b"1.2.", b"12345678901234567890",
        b"1.23456789012345678", b"99999999999", b"-2147483649", b"2147483648", b"x" * 65, b"x" * 17,
        b"a\nb", b"\x1b$B", b"caf\xc3\xa9", b"~", b"\\\\", b"1\\\\2", b"\t1", b"1\t", b"1\0",
        b"20260101",
    ]  # fmt: skip
    for value in values:
        compare_one(vr, value, little_endian)


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("vr", ["US", "SS", "UL", "SL", "FL", "FD", "AT", "OB", "UN", "PN"])
def test_as_pydicom_of_binary_values(vr: str, little_endian: bool) -> None:
    for value in (b"", b"\1", b"\1\2", b"\xff" * 4, bytes(range(8)), b"\x80" * 12, b"\0" * 16):
        compare_one(vr, value, little_endian)


def one(vr: str | None, value: bytes, *, tag: int = 0x00081030, little: bool = True) -> Dataset:
    header = pydicom.Dataset()
    key = Tag(0x00091001 if vr == "UN" else tag)
    header[key] = RawDataElement(key, vr, len(value), value, 0, vr is None, little)
    return header


def record_of(header: Dataset) -> dict[str, Any]:
    with quiet_pydicom():
        return dicom_json(header, bulk_data=bulk_data, max_inline_bytes=INLINE_BYTES)


def compare_one(vr: str, value: bytes, little_endian: bool) -> None:
    """In two data sets, since reading an element changes the one it is in."""
    record = record_of(one(vr, value, little=little_endian))
    with quiet_pydicom():
        expected = without_what_json_lacks(by_pydicom(one(vr, value, little=little_endian)))
    empty = not value.strip(b" \0\\")
    if expected and (empty or len(next(iter(expected.values()))) > 1):
        assert json.dumps(record) == json.dumps(expected), (vr, value)
    nothing_lost(one(vr, value, little=little_endian), record)


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("DS", b"-158.13580300000001\\1 ", {"Value": [-158.13580300000001, 1.0]}),
        ("DS", b"0.500000000000000000000", {"Value": [0.5]}),
        ("DS", b"1 2\\\\.5 ", {"Value": ["1 2", None, 0.5]}),
        ("DS", b"1" + b"0" * 400, {"Value": ["1" + "0" * 400]}),
        ("DS", b"1,5", {"Value": ["1,5"]}),
        ("IS", b"1.5 ", {"Value": [1.5]}),
        ("IS", b"3 A", {"Value": ["3 A"]}),
        ("IS", b"99999999999 ", {"Value": [99999999999]}),
        ("IS", b"9" * 30, {"Value": ["9" * 30]}),
        ("UI", b"1.02.3\0", {"Value": ["1.02.3"]}),
        ("DA", b"2026-11-21", {"Value": ["2026-11-21"]}),
        ("CS", b"lower case words ", {"Value": ["lower case words"]}),
        ("SH", b"x" * 20, {"Value": ["x" * 20]}),
        ("US", b"\1\0\0", {"vr": "UN", "InlineBinary": "AQAA"}),
        ("FD", b"\1", {"vr": "UN", "InlineBinary": "AQ=="}),
        ("FD", b"\0\0\0\0\0\0\xf0\xff", {"Value": ["-Infinity"]}),
        ("SQ", b"no items", {"vr": "UN", "InlineBinary": "bm8gaXRlbXM="}),
        ("ZZ", b"\1\2", {"vr": "UN", "InlineBinary": "AQI="}),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_there_as_the_file_has_it(vr, value, expected) -> None:
    record = record_of(one(vr, value))["00081030"]
    assert record == {"vr": vr} | expected


def test_a_broken_value_does_not_take_its_sequence_along() -> None:
    header = pydicom.Dataset()
    item = one("DS", b"0.12345678901234567890", tag=0x00280030)
    item.update(one("US", b"\1", tag=0x00280106))
    with quiet_pydicom():
        header.RequestAttributesSequence = [item]
    assert record_of(header)["00400275"]["Value"] == [
        {
            "00280030": {"vr": "DS", "Value": [0.1234567890123456789]},
            "00280106": {"vr": "UN", "InlineBinary": "AQ=="},
        }
    ]


def test_a_name_that_is_not_in_its_repertoire() -> None:
    for repertoire, data in (
        (b"ISO_IR 192", b"M\xfcller^A"),
        (b"unheard of", "Müller^A".encode("latin-1")),
    ):
        header = one("PN", data, tag=0x00100010)
        header[0x00080005] = RawDataElement(Tag(0x00080005), "CS", 10, repertoire, 0, False, True)
        assert record_of(header)["00100010"]["Value"] == [{"Alphabetic": "Müller^A"}], repertoire


def with_name(data: bytes, repertoire: bytes) -> Dataset:
    """As a file is read: with the repertoire it was read in."""
    dataset = image(np.zeros((1, 1), np.uint8), SpecificCharacterSet=repertoire.decode())
    key = Tag("PatientName")
    dataset[key] = RawDataElement(key, "PN", len(data), data, 0, False, True)
    return pydicom.dcmread(io.BytesIO(part10(dataset)), stop_before_pixels=True)


def test_what_is_remembered_of_one_file_is_not_told_of_another() -> None:
    data = "Жук".encode()
    for _ in range(2):
        for repertoire, name in ((b"ISO_IR 192", "Жук"), (b"ISO_IR 144", data.decode("iso8859_5"))):
            found = record_of(with_name(data, repertoire))["00100010"]["Value"]
            assert found == [{"Alphabetic": name}], repertoire


def test_metadata_and_index_tell_the_same_of_a_name_that_is_not_in_its_repertoire(
    tmp_path: Path,
) -> None:
    ascii_name = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Muller^A"}
    source = saved(tmp_path / "in" / "1.dcm", image(np.zeros((64, 64), np.uint8), **ascii_name))
    source.write_bytes(source.read_bytes().replace(b"Muller", b"M\xfcller"))
    assert run(source, "-o", tmp_path / "out").exit_code == 0
    for name in ("studies/index.json", "studies/2.25.1/series/2.25.1.1/metadata"):
        [record] = json.loads((tmp_path / "out" / name).read_bytes())
        assert record["00100010"]["Value"] == [{"Alphabetic": "Müller^A"}], name


def test_a_name_too_long_is_read_in_its_repertoire() -> None:
    header = one("PN", "Ж".encode("iso8859_5") * 70, tag=0x00100010)
    header[0x00080005] = RawDataElement(Tag(0x00080005), "CS", 10, b"ISO_IR 144", 0, False, True)
    assert record_of(header)["00100010"]["Value"] == [{"Alphabetic": "Ж" * 70}]


def test_bulk_data_that_cannot_be_written_is_an_error() -> None:
    def full(element: DataElement) -> str:
        raise OSError(28, "No space left on device")

    for vr in ("OB", "US"):
        header = one(vr, bytes(9001), tag=0x00091002)
        with quiet_pydicom(), pytest.raises(OSError, match="No space"):
            dicom_json(header, bulk_data=full, max_inline_bytes=INLINE_BYTES)


HOSTILE = {
    0x00080020: ("DA", b"21/11/2026"),
    0x00100010: ("PN", b"M\xfcller^A"),
    0x00101030: ("DS", b"seventy "),
    0x00189087: ("FD", b"\0\0\0\0\0\0\xf8\x7f"),
    0x00200011: ("IS", b"1.5 "),
    0x00200013: ("IS", b"99999999999999999999"),
    0x00200032: ("DS", b"-158.13580300000001\\-179.035797000000001\\-75.69999999999999 "),
    0x00280030: ("DS", b"0.66145800000000001\\0.66145800000000001 "),
    0x00280106: ("US", b"\0\0\0"),
    0x00281050: ("DS", b"40.0000000000000000\\abc "),
    0x00281051: ("DS", b"400.000000000000000\\1e99"),
    0x00281053: ("DS", b"1.00000000000000000000"),
}


@pytest.mark.parametrize("layout", ["dicomweb", "jphuri", "part10", "jp2"])
def test_a_hostile_header_loses_nothing(tmp_path: Path, layout: str) -> None:
    dataset = image(np.arange(4096, dtype=np.uint16).reshape(64, 64))
    for tag, (vr, value) in HOSTILE.items():
        value += b"\0" * (len(value) % 2 if vr == "US" else 0)
        dataset[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)
    source = saved(tmp_path / "in" / "1.dcm", dataset)
    result = run(source, "-o", tmp_path / "out", "--layout", layout)
    assert result.exit_code == 0, result.output
    [series] = descriptor_of(tmp_path / "out").series
    assert series.frames[0].image.pixel_spacing == (0.661458, 0.661458)
    if layout != "dicomweb":
        return
    metadata = tmp_path / f"out/studies/2.25.1/series/{series.series_instance_uid}/metadata"
    [record] = read_records(metadata.read_bytes(), limit_bytes=1 << 20, resource="metadata")
    for tag in HOSTILE:
        assert set(record[f"{tag:08X}"]) & {"Value", "InlineBinary"}, f"{tag:08X}"
    assert record["00200032"]["Value"] == [-158.13580300000001, -179.035797, -75.69999999999999]
    assert record["00101030"]["Value"] == ["seventy"]
    assert record["00189087"]["Value"] == ["NaN"]
    [shown] = all_frame_attributes(record, 1, resource="metadata")
    assert shown.pixel_spacing == (0.661458, 0.661458)
    assert shown.rescale_slope == 1.0

    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is not JSON")

    for path in (tmp_path / "out").rglob("*"):
        if path.name in ("metadata", "index.json", "series-singleton.json"):
            json.loads(path.read_bytes(), parse_constant=refuse)
