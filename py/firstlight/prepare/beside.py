"""What stands beside the frames of a tree: heads, DICOM JSON and headers, checked."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

from firstlight.dicom.metadata import frame_count, read_part10_header
from firstlight.errors import FirstlightError
from firstlight.prepare.opened import opened
from firstlight.prepare.proof import Complaint
from firstlight.sources.base import Part
from firstlight.sources.descriptor import FILE_NAME
from firstlight.sources.sidecar import HEAD_BYTES, SUFFIX, read_sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import Descriptor, FrameEntry, SeriesEntry

_STUDIES = "studies/index.json"
_SERIES_UID, _SOP_UID, _STUDY_UID, _SYNTAX = "0020000E", "00080018", "0020000D", "00083002"


def beside_complaints(tree: Tree, descriptor: Descriptor) -> Iterator[Complaint]:
    """Everything wrong beside the frames."""
    series = descriptor.series
    yield from _first_level(tree, descriptor)
    for entry in series:
        yield from _heads(tree, entry)
        yield from _headers(tree, entry)
    if tree.size_bytes(_STUDIES) is not None:
        for entry in series:
            yield from _dicomweb(tree, entry)
        yield from _studies(tree, {entry.study_instance_uid for entry in series})


def _first_level(tree: Tree, descriptor: Descriptor) -> Iterator[Complaint]:
    enclosed = descriptor.first_level
    if not enclosed:
        return
    frames = descriptor.series[0].frames if descriptor.series else ()
    if not frames or enclosed != _stretch(tree, frames[0], 0, frames[0].level_ends[0]):
        yield Complaint(FILE_NAME, "first_level is not the first level of the first frame")


def _heads(tree: Tree, series: SeriesEntry) -> Iterator[Complaint]:
    """Every piece is the frame's beginning, and nothing lies between."""
    if series.heads is None:
        return
    heads = series.heads
    if tree.size_bytes(heads.url) != heads.length:
        yield Complaint(heads.url, "is missing or of another size")
        return
    data, covered = tree.read(heads.url), 0
    for frame in series.frames:
        before = 0
        for piece in frame.heads:
            there = data[piece.start : piece.start + piece.stop - before]
            if there != _stretch(tree, frame, before, piece.stop):
                yield Complaint(heads.url, f"is not the beginning of {frame.url}")
            covered += piece.stop - before
            before = piece.stop
    if covered != heads.length:
        yield Complaint(heads.url, "holds more than the heads")


def _stretch(tree: Tree, frame: FrameEntry, start: int, stop: int) -> bytes:
    try:
        [data] = tree.read_ranges([(frame.url, frame.start + start, frame.start + stop)])
    except FileNotFoundError:
        return b""
    return data


def _headers(tree: Tree, series: SeriesEntry) -> Iterator[Complaint]:
    """The DICOM headers of pairs and of Part 10 files."""
    for url in dict.fromkeys(frame.url for frame in series.frames):
        stem, _, suffix = url.rpartition(".")
        path = url if suffix == "dcm" else f"{stem}.metadata.dcm"
        if suffix not in ("dcm", "jph", "jp2") or tree.size_bytes(path) is None:
            continue  # layout dicomweb, or the frame of a multi-frame image: one header for all
        try:
            if suffix == "dcm":
                yield from _part10(tree, url, series)
            else:
                header = read_part10_header(tree.read(path), resource=path)
                if header.file_meta.TransferSyntaxUID != series.transfer_syntax_uid:
                    yield Complaint(path, "names another transfer syntax")
        except FirstlightError as error:
            yield Complaint(path, error.message)


def _part10(tree: Tree, url: str, series: SeriesEntry) -> Iterator[Complaint]:
    """The file's own tables and its sidecar lead to the same bytes as the descriptor."""
    data = tree.read(url)
    places = [(f.start, f.length) for f in sorted(series.frames, key=lambda f: f.frame_number)
              if f.url == url]  # fmt: skip
    with opened(io.BytesIO(data), resource=url) as dataset:
        if dataset.file_meta.TransferSyntaxUID != series.transfer_syntax_uid:
            yield Complaint(url, "names another transfer syntax")
        if frame_count(dataset) != len(places):
            yield Complaint(url, "has another number of frames")
    sidecar_path = url + SUFFIX
    if tree.size_bytes(sidecar_path) is None:
        yield Complaint(sidecar_path, "is missing")
        return
    sidecar = read_sidecar(tree.read(sidecar_path), url)
    first = Part(data[:HEAD_BYTES], total_bytes=len(data), version="", ranges=True)
    found = [(frame.extent.start, frame.extent.length) for frame in sidecar.series.frames]
    if not sidecar.describes(first) or found != places:
        yield Complaint(sidecar_path, "does not describe the file beside it")


def _dicomweb(tree: Tree, series: SeriesEntry) -> Iterator[Complaint]:
    """Series metadata and instance list name the same instances as the descriptor."""
    folder = f"studies/{series.study_instance_uid}/series/{series.series_instance_uid}"
    instances = {frame.sop_instance_uid for frame in series.frames}
    for name in ("metadata", "instances/index.json"):
        path = f"{folder}/{name}"
        records = yield from _json(tree, path)
        if records is None:
            continue
        syntax_of = {_value(record, _SOP_UID): _value(record, _SYNTAX) for record in records}
        if not instances <= syntax_of.keys():
            yield Complaint(path, "lacks an instance")
        elif {syntax_of[uid] for uid in instances} != {series.transfer_syntax_uid}:
            yield Complaint(path, "names another transfer syntax")
    path = f"studies/{series.study_instance_uid}/series/index.json"
    records = yield from _json(tree, path)
    listed = {_value(record, _SERIES_UID) for record in records or ()}
    if records is not None and series.series_instance_uid not in listed:
        yield Complaint(path, "lacks a series")


def _studies(tree: Tree, uids: set[str]) -> Iterator[Complaint]:
    records = yield from _json(tree, _STUDIES)
    if records is not None and {_value(record, _STUDY_UID) for record in records} != uids:
        yield Complaint(_STUDIES, "lists other studies than the descriptor")


def _json(tree: Tree, path: str) -> Any:  # noqa: ANN401 - a generator that returns records
    """The records of a DICOM JSON file, None after a complaint; its twin must be the same."""
    try:
        data = tree.read(path)
        records = json.loads(data)
        if gzip.decompress(tree.read(f"{path}.gz")) != data:
            yield Complaint(f"{path}.gz", "is not the same as its twin")
    except FileNotFoundError:
        yield Complaint(path, "is missing, or its .gz twin is")
        return None
    except (ValueError, OSError, EOFError):
        yield Complaint(path, "is not JSON, or its .gz twin is broken")
        return None
    return records


def _value(record: dict[str, Any], tag: str) -> str:
    values = record.get(tag, {}).get("Value") or [""]
    return str(values[0])
