"""Layout ``dicomweb``: the answers of a WADO-RS and QIDO-RS server (PS3.18) as static files."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from firstlight.prepare.dicom_json import dicom_json, json_text
from firstlight.prepare.layout import FramePlace, NamedBytes
from firstlight.prepare.pictures import displayed, rendered_jpeg, thumbnail_jpeg
from firstlight.prepare.query import instance_query, series_query, study_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.encode import EncodedFrame
    from firstlight.prepare.layout import AlternateFrame, InstanceFiles, InstanceName
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.stored import Pixels
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import SeriesEntry

_MAX_INLINE_BYTES: Final = 1 << 17
"""Larger binary values become bulk data files; palettes and small icons stay in the metadata."""

_PIXEL_DATA: Final = "7FE00010"
_AVAILABLE_TRANSFER_SYNTAX_UID: Final = "00083002"
_CREATOR: Final = ("00990010", {"vr": "LO", "Value": ["FIRSTLIGHT"]})
"""Of our private block, which announces alternates; the standard has no attribute for them."""

_ALTERNATES: Final = "00991001"
_NAME: Final = "00991002"
_PATH: Final = "00991003"


class DicomwebLayout:
    """``studies/<study>/series/<series>/instances/<sop>/frames/<n>.mht`` and what belongs to it."""

    name = "dicomweb"
    takes_alternates = True

    def writer(
        self, files: InstanceFiles, instance: InstanceName, recipe: Recipe
    ) -> InstanceResources:
        """Begin an instance."""
        return InstanceResources(files, instance, recipe)

    def heads_folder(self, series: SeriesEntry) -> str:
        """Beside the series' metadata."""
        return f"studies/{series.study_instance_uid}/series/{series.series_instance_uid}/"

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
            yield from _thumbnail(tree, folder, all_series[len(all_series) // 2])
        yield from _with_gzip("studies/index.json", _json_bytes(queries))


class InstanceResources:
    """Frames, metadata, bulk data, thumbnail and rendered image of one instance."""

    def __init__(self, files: InstanceFiles, instance: InstanceName, recipe: Recipe) -> None:
        self._files, self._instance, self._recipe = files, instance, recipe
        self._folder, self._sop = _instance_folder(instance), instance.sop_instance_uid
        self._places: list[FramePlace] = []
        self._alternates: dict[str, dict[str, Any]] = {}
        self._shown: Pixels | None = None
        self._uid = ""

    def add(self, frame_number: int, frame: EncodedFrame, values: Pixels | None) -> None:
        """Write the frame, and keep the middle one to be shown."""
        self._places.append(self._write(f"frames/{frame_number}", frame))
        self._uid = frame.form.uid
        if frame_number == (self._instance.frame_count + 1) // 2:
            self._shown = values

    def add_alternate(self, frame_number: int, alternate: AlternateFrame) -> FramePlace:
        """Write the frame where a client finds it by replacing ``frames`` in the path."""
        choice = alternate.choice
        self._alternates[choice.name] = {
            _AVAILABLE_TRANSFER_SYNTAX_UID: {"vr": "UI", "Value": [alternate.frame.form.uid]},
            "00280010": {"vr": "US", "Value": [alternate.rows]},
            "00280011": {"vr": "US", "Value": [alternate.columns]},
            _CREATOR[0]: _CREATOR[1],
            _NAME: {"vr": "LO", "Value": [choice.name]},
            _PATH: {"vr": "LO", "Value": [f"instances/{self._sop}/{choice.path}"]},
        }
        return self._write(f"{choice.path}/{frame_number}", alternate.frame)

    def finish(self, header: Dataset, images: Sequence[ImageAttributes]) -> Sequence[FramePlace]:
        """Write the metadata, large binary values beside it, and pictures for browsing."""
        record = dicom_json(header, bulk_data=self._bulk_data, max_inline_bytes=_MAX_INLINE_BYTES)
        record[_AVAILABLE_TRANSFER_SYNTAX_UID] = {"vr": "UI", "Value": [self._uid]}
        record[_PIXEL_DATA] = {
            "vr": "OB",
            "BulkDataURI": f"instances/{self._sop}/frames",
        }
        if self._alternates:
            record[_CREATOR[0]] = _CREATOR[1]
            record[_ALTERNATES] = {"vr": "SQ", "Value": list(self._alternates.values())}
        self._files.write(f"{self._folder}/metadata", f"[{json_text(record)}]".encode())
        if self._shown is not None:
            image = images[(self._instance.frame_count - 1) // 2]
            if self._recipe.thumbnails:
                small = thumbnail_jpeg(self._shown, image)
                self._files.write(f"{self._folder}/thumbnail", small)
            if self._recipe.rendered:
                whole = rendered_jpeg(displayed(self._shown, image))
                self._files.write(f"{self._folder}/rendered", whole)
        return self._places

    def _write(self, name: str, frame: EncodedFrame) -> FramePlace:
        if self._recipe.single_part:
            path = f"{self._folder}/{name}{frame.form.suffix}"
            self._files.write(path, frame.codestream)
            return FramePlace(path)
        content_type = f"{frame.form.media_type};transfer-syntax={frame.form.uid}"
        seed = f"{content_type} {len(frame.codestream)} {frame.sha256}{frame.encoded_sha256}"
        head, tail = _multipart(content_type, seed.encode())
        self._files.write(f"{self._folder}/{name}.mht", head, frame.codestream, tail)
        return FramePlace(f"{self._folder}/{name}.mht", start=len(head))

    def _bulk_data(self, element: DataElement) -> str:
        body = bytes(element.value)
        uri = f"bulkdata/{hashlib.sha256(body).hexdigest()}.mht"
        head, tail = _multipart("application/octet-stream", uri.encode())
        self._files.write(f"studies/{self._instance.study_instance_uid}/{uri}", head, body, tail)
        return uri


def _series_files(tree: Tree, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
    folder = _series_folder(receipts[0])
    instances = [f"{folder}/instances/{receipt.sop_instance_uid}" for receipt in receipts]
    metadata = b",".join(tree.read(f"{path}/metadata")[1:-1] for path in instances)
    yield from _with_gzip(f"{folder}/metadata", b"[" + metadata + b"]")
    single = _json_bytes([series_query(receipts)])
    yield from _with_gzip(f"{folder}/series-singleton.json", single)
    listed = _json_bytes([instance_query(receipt) for receipt in receipts])
    yield from _with_gzip(f"{folder}/instances/index.json", listed)
    yield from _thumbnail(tree, folder, receipts)


def _thumbnail(tree: Tree, folder: str, receipts: Sequence[Receipt]) -> Iterator[NamedBytes]:
    """That of the instance in the middle stands for all."""
    middle = receipts[len(receipts) // 2]
    path = f"{_series_folder(middle)}/instances/{middle.sop_instance_uid}/thumbnail"
    if path in middle.files:
        yield NamedBytes(f"{folder}/thumbnail", tree.read(path))


def _by_series(receipts: Sequence[Receipt]) -> list[list[Receipt]]:
    """Series in the order of their first instance; one in two syntaxes is one here."""
    grouped: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        grouped.setdefault(receipt.series.series_instance_uid, []).append(receipt)
    return list(grouped.values())


def _instance_folder(instance: InstanceName) -> str:
    series = f"studies/{instance.study_instance_uid}/series/{instance.series_instance_uid}"
    return f"{series}/instances/{instance.sop_instance_uid}"


def _series_folder(receipt: Receipt) -> str:
    series = receipt.series
    return f"studies/{series.study_instance_uid}/series/{series.series_instance_uid}"


def _multipart(content_type: str, seed: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the one part (RFC 2046 5.1).

    The boundary follows from the hash of the pixels, which is known: it is the same again.
    """
    boundary = f"BOUNDARY_{hashlib.sha256(seed).hexdigest()[:32]}"
    head = f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n"
    return head.encode(), f"\r\n--{boundary}--".encode()


def _with_gzip(path: str, data: bytes) -> Iterator[NamedBytes]:
    """The file, and its precompressed twin for hosts that look for one."""
    yield NamedBytes(path, data)
    yield NamedBytes(f"{path}.gz", gzip.compress(data, mtime=0))


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
