"""Attributes that QIDO-RS answers hold at each level (PS3.18 10.6.3), as DICOM JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pydicom.datadict import tag_for_keyword

from firstlight.prepare.dicom_json import picked_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from firstlight.prepare.receipts import Receipt

_STUDY: Final = (
    "SpecificCharacterSet",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "TimezoneOffsetFromUTC",
    "StudyDescription",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
)
_SERIES: Final = (
    "SpecificCharacterSet",
    "SeriesDate",
    "SeriesTime",
    "Modality",
    "TimezoneOffsetFromUTC",
    "SeriesDescription",
    "BodyPartExamined",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
)
_INSTANCE: Final = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "TimezoneOffsetFromUTC",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "InstanceNumber",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
)


def query_attributes(header: Dataset) -> dict[str, Any]:
    """Everything that any level may ask of one instance, as plain JSON values."""
    wanted = picked_json(header, dict.fromkeys((*_STUDY, *_SERIES, *_INSTANCE)))
    record: dict[str, Any] = json.loads(json.dumps(wanted, sort_keys=True))
    return record


def study_query(all_series: Sequence[Sequence[Receipt]]) -> dict[str, Any]:
    """A study's answer, from the receipts of each of its series."""
    modalities = sorted({receipts[0].series.modality for receipts in all_series} - {""})
    return _merged(
        _picked(all_series[0][0], _STUDY),
        {
            "ModalitiesInStudy": ("CS", modalities),
            "NumberOfStudyRelatedSeries": ("IS", [len(all_series)]),
            "NumberOfStudyRelatedInstances": ("IS", [sum(len(r) for r in all_series)]),
        },
    )


def series_query(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """A series' answer, from the receipts of its instances."""
    return _merged(
        _picked(receipts[0], _SERIES),
        {"NumberOfSeriesRelatedInstances": ("IS", [len(receipts)])},
    )


def instance_query(receipt: Receipt) -> dict[str, Any]:
    """An instance's answer."""
    return _merged(
        _picked(receipt, _INSTANCE),
        {"AvailableTransferSyntaxUID": ("UI", [receipt.series.transfer_syntax_uid])},
    )


def _picked(receipt: Receipt, keywords: tuple[str, ...]) -> dict[str, Any]:
    tags = [_tag(keyword) for keyword in keywords]
    return {tag: receipt.query[tag] for tag in tags if tag in receipt.query}


def _merged(picked: dict[str, Any], counted: dict[str, tuple[str, list[Any]]]) -> dict[str, Any]:
    added = {
        _tag(keyword): {"vr": vr, "Value": values} for keyword, (vr, values) in counted.items()
    }
    return dict(sorted({**picked, **added}.items()))


def _tag(keyword: str) -> str:
    return f"{tag_for_keyword(keyword):08X}"
