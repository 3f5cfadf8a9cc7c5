"""Layout ``dicomweb``: the answers of a WADO-RS and QIDO-RS server (PS3.18) as static files."""

from __future__ import annotations

import gzip
import hashlib
import json
from itertools import groupby
from typing import TYPE_CHECKING, Final

from firstlight.dicom.uids import HTJ2K_LOSSLESS_RPCL
from firstlight.prepare.layout import FrameFile, NamedBytes
from firstlight.prepare.query import instance_query, series_query, study_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from firstlight.prepare.layout import InstanceName
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.tree import Tree

FRAME_TYPE: Final = f"image/jphc;transfer-syntax={HTJ2K_LOSSLESS_RPCL}"
_MAX_INLINE_BYTES: Final = 1 << 17
"""Larger binary values become bulk data files; palettes and small icons stay in the metadata."""

_PIXEL_DATA: Final = "7FE00010"
_AVAILABLE_TRANSFER_SYNTAX_UID: Final = "00083002"


class DicomwebLayout:
    """``studies/<study>/series/<series>/instances/<sop>/frames/<n>.mht`` and what belongs to it."""

    name = "dicomweb"

    def frame_file(self, instance: InstanceName, frame_number: int, codestream: bytes) -> FrameFile:
        """The codestream as the one part of a multipart/related body."""
        path = f"{_instance_folder(instance)}/frames/{frame_number}.mht"
        head, tail = _multipart(codestream, FRAME_TYPE)
        return FrameFile(path, head + codestream + tail, start=len(head))

    def instance_files(self, instance: InstanceName, header: Dataset) -> Iterator[NamedBytes]:
        """The instance's metadata, and large binary values beside it."""
        bulk: list[NamedBytes] = []

        def keep(element: DataElement) -> str:
            body = bytes(element.value)
            uri = f"bulkdata/{hashlib.sha256(body).hexdigest()}.mht"
            head, tail = _multipart(body, "application/octet-stream")
            path = f"studies/{instance.study_instance_uid}/{uri}"
            bulk.append(NamedBytes(path, head + body + tail))
            return uri

        record = header.to_json_dict(
            bulk_data_threshold=_MAX_INLINE_BYTES,
            bulk_data_element_handler=keep,
            suppress_invalid_tags=True,
        )
        record[_AVAILABLE_TRANSFER_SYNTAX_UID] = {"vr": "UI", "Value": [HTJ2K_LOSSLESS_RPCL]}
        record[_PIXEL_DATA] = {
            "vr": "OB",
            "BulkDataURI": f"instances/{instance.sop_instance_uid}/frames",
        }
        yield from bulk
        metadata = _json_bytes([dict(sorted(record.items()))])
        yield NamedBytes(f"{_instance_folder(instance)}/metadata", metadata)

    def index_files(self, tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
        """QIDO-RS answers at each level, and each series' metadata."""
        studies: dict[str, list[Receipt]] = {}
        for receipt in receipts:
            studies.setdefault(receipt.series.study_instance_uid, []).append(receipt)
        queries = []
        for study_uid, of_study in studies.items():
            all_series = _by_series(of_study)
            folder = f"studies/{study_uid}"
            query = study_query(all_series)
            queries.append(query)
            yield from _with_gzip(f"{folder}/index.json", _json_bytes([query]))
            listed = _json_bytes([series_query(series) for series in all_series])
            yield from _with_gzip(f"{folder}/series/index.json", listed)
            for of_series in all_series:
                yield from _series_files(tree, of_series)
        yield from _with_gzip("studies/index.json", _json_bytes(queries))


def _series_files(tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
    folder = _series_folder(receipts[0])
    instances = [f"{folder}/instances/{receipt.sop_instance_uid}" for receipt in receipts]
    metadata = b",".join(tree.read(f"{path}/metadata")[1:-1] for path in instances)
    yield from _with_gzip(f"{folder}/metadata", b"[" + metadata + b"]")
    single = _json_bytes([series_query(receipts)])
    yield from _with_gzip(f"{folder}/series-singleton.json", single)
    listed = _json_bytes([instance_query(receipt) for receipt in receipts])
    yield from _with_gzip(f"{folder}/instances/index.json", listed)


def _by_series(receipts: Sequence[Receipt]) -> list[list[Receipt]]:
    """Receipts arrive series by series; cut between them."""
    grouped = groupby(receipts, key=lambda receipt: receipt.series.series_instance_uid)
    return [list(group) for _, group in grouped]


def _instance_folder(instance: InstanceName) -> str:
    series = f"studies/{instance.study_instance_uid}/series/{instance.series_instance_uid}"
    return f"{series}/instances/{instance.sop_instance_uid}"


def _series_folder(receipt: Receipt) -> str:
    series = receipt.series
    return f"studies/{series.study_instance_uid}/series/{series.series_instance_uid}"


def _multipart(body: bytes, content_type: str) -> tuple[bytes, bytes]:
    """What stands before and after the one part (RFC 2046 5.1); the boundary is the body's hash."""
    boundary = f"BOUNDARY_{hashlib.sha256(body).hexdigest()[:32]}"
    head = f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n"
    return head.encode(), f"\r\n--{boundary}--".encode()


def _with_gzip(path: str, data: bytes) -> Iterator[NamedBytes]:
    """The file, and its precompressed twin for hosts that look for one."""
    yield NamedBytes(path, data)
    yield NamedBytes(f"{path}.gz", gzip.compress(data, mtime=0))


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
