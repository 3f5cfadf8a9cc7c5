"""What the first bytes of a resource say that it is."""

from __future__ import annotations

from typing import Literal

from firstlight.dicom.jpeg import SOI
from firstlight.dicomweb.multipart import is_multipart
from firstlight.j2k.boxes import SIGNATURE

Kind = Literal[
    "descriptor",
    "sidecar",
    "dicom json",
    "codestream",
    "jp2 file",
    "jpeg stream",
    "part 10 file",
    "multipart frame",
    "web page",
    "unknown",
]

SOC_SIZ = b"\xff\x4f\xff\x51"
_JSON_LOOK_BYTES = 200


def recognise(head: bytes) -> Kind:
    """By the first bytes alone, of which 200 are enough; names and types may be wrong."""
    if head.startswith(SOC_SIZ):
        return "codestream"
    if head.startswith(SIGNATURE):
        return "jp2 file"
    if head.startswith(SOI):
        return "jpeg stream"
    if head[128:132] == b"DICM":
        return "part 10 file"
    if is_multipart(head):
        return "multipart frame"
    text = head[:_JSON_LOOK_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        for word, kind in _JSON_KINDS.items():
            if word in text:
                return kind
    if text.startswith(b"[") and text[1:].lstrip().startswith((b"{", b"]")):
        return "dicom json"
    if text[:9].lower().startswith((b"<!doctype", b"<html")):
        return "web page"
    return "unknown"


_JSON_KINDS: dict[bytes, Kind] = {b'"firstlight_index"': "sidecar", b'"firstlight"': "descriptor"}
