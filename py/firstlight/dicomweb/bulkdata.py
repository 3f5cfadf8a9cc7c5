"""Values that metadata only point to (PS3.18 F.2.2): which are of use, where they may lie."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from firstlight.dicomweb.multipart import TAIL_BYTES, is_multipart, payload_stop, read_part_head
from firstlight.errors import LimitExceeded, NotDicom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from firstlight.dicomweb.metadata import Record
    from firstlight.dicomweb.urls import Place

_PALETTE_DATA: Final = tuple(f"0028{element}" for element in (1201, 1202, 1203, 1221, 1222, 1223))
_OVERLAY_DATA: Final = tuple(f"60{group:02X}3000" for group in range(0, 0x20, 2))
_LUT_SEQUENCES: Final = ("00283000", "00283010")
_LUT_DATA: Final = "00283006"
_TO_SHOW: Final = (*_PALETTE_DATA, *_OVERLAY_DATA)

_MAX_URI: Final = 2048


def bulk_uri(record: Record, tag: str) -> str:
    """Where the value of an element lies, empty where it is in the record itself or absent."""
    element = record.get(tag)
    uri = element.get("BulkDataURI") if isinstance(element, dict) else None
    return uri if isinstance(uri, str) and len(uri) <= _MAX_URI else ""


def uris_to_show(record: Record) -> Iterator[str]:
    """Where those values lie that decide how an image is shown: palettes, tables, overlays."""
    for tag in _TO_SHOW:
        yield bulk_uri(record, tag)
    for item in _lut_items(record):
        yield bulk_uri(item, _LUT_DATA)


def with_values(record: Record, contents: Mapping[str, bytes]) -> Record:
    """The same dataset with those values in it, by their URI."""
    filled = {tag: _filled(element, contents) for tag, element in record.items()}
    for tag in _LUT_SEQUENCES:
        items = [
            {name: _filled(element, contents) for name, element in item.items()}
            for item in _lut_items(record, (tag,))
        ]
        if items:
            filled[tag] = {"vr": "SQ", "Value": items}
    return filled


def _lut_items(record: Record, tags: tuple[str, ...] = _LUT_SEQUENCES) -> Iterator[Record]:
    for tag in tags:
        element = record.get(tag)
        items = element.get("Value") if isinstance(element, dict) else None
        yield from (item for item in items or () if isinstance(item, dict))


def _filled(element: Any, contents: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - JSON
    uri = element.get("BulkDataURI") if isinstance(element, dict) else None
    if not isinstance(uri, str) or uri not in contents:
        return element
    return {"vr": element.get("vr"), "InlineBinary": base64.b64encode(contents[uri]).decode()}


@dataclass(frozen=True, slots=True)
class Spot:
    """One way to read a relative URI: below ``base`` (a word of `BASES`), with ``suffix`` added."""

    base: str
    suffix: str = ""

    def url(self, uri: str, place: Place) -> str:
        """The address of a value of an instance at ``place``; an absolute URI stands for itself."""
        if urlsplit(uri).scheme:
            return uri
        if self.base == "root":
            below = place.root + "/"
        else:
            series = place if self.base == "series" else place.with_series("")
            below = series.with_instance("").url() if self.base != "instance" else place.url()
            below = urlunsplit(urlsplit(below)._replace(query="")) + "/"
        parts = urlsplit(urljoin(below, uri))
        query = "&".join(one for one in (parts.query, place.query) if one)
        return urlunsplit(parts._replace(path=parts.path + self.suffix, query=query))


BASES: Final = ("study", "series", "root", "instance")
"""A relative URI is relative to the metadata's own URL by RFC 3986, to the study or the series in
trees of Static DICOMweb, to the service where somebody took them for absolute ones."""


def spots(uri: str) -> tuple[Spot, ...]:
    """In which order to try; with ``.gz`` where a tree on a plain host has compressed files."""
    if urlsplit(uri).scheme:
        return (Spot("root"),)
    first = next(
        (base for word, base in _FIRST.items() if uri.removeprefix("./").startswith(word)), "series"
    )
    ordered = sorted(BASES, key=lambda base: base != first)
    return tuple(Spot(base, suffix) for base in ordered for suffix in ("", ".gz"))


_FIRST: Final = {"bulkdata/": "study", "studies/": "root", "instances/": "series"}


def unwrapped(body: bytes, url: str, *, limit_bytes: int) -> bytes:
    """The value in an answer: inflated where it is a ``.gz`` file, without multipart framing.

    Raises:
        NotDicom: it cannot be inflated.
        LimitExceeded: it inflates to more than ``limit_bytes``.
    """
    if urlsplit(url).path.endswith(".gz") and body[:2] == b"\x1f\x8b":
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            body = inflater.decompress(body, limit_bytes)
        except zlib.error as error:
            raise NotDicom(f"not gzip: {error}", resource=url) from error
        if not inflater.eof:
            text = f"cut, or inflates beyond {limit_bytes} bytes"
            raise LimitExceeded(text, resource=url)
    if not is_multipart(body):
        return body
    head = read_part_head(body, resource=url)
    if head is None:
        return body
    return body[head.payload_start : payload_stop(head, body[-TAIL_BYTES:], len(body))]
