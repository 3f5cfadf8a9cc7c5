"""From a URL path to the file that answers it, its content type and its coding."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from firstlight.serve.conditional import Validators
from firstlight.serve.frame_files import BARE_FRAMES, bare_frame_type, frame_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import stat_result
    from pathlib import Path

Coding = Literal["identity", "gzip", "br"]

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".dcm": "application/dicom",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".j2c": "image/j2c",
    ".j2k": "image/j2c",
    ".jhc": "image/jphc",
    ".jls": "image/jls",
    ".jp2": "image/jp2",
    ".jpc": "image/j2c",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".jph": "image/j2c",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mht": "multipart/related",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}
"""By suffix; anything else is ``application/octet-stream``.

``.jph`` is what `prepare` calls a raw codestream, without the boxes of the JPH file format.
"""

DICOM_JSON = "application/dicom+json"

# The suffix of a precompressed file, by the coding it holds; best first.
_CODING_SUFFIXES: tuple[tuple[Coding, str], ...] = (("br", ".br"), ("gzip", ".gz"))

_HASHED_ASSET = re.compile(r"(assets|py-[^/]+)/.+")
_PART_TYPE = re.compile(rb"\r\nContent-Type:\s*([\w.+-]+/[\w.+-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Representation:
    """One file ready to be sent: its bytes, what they are, and how they may be cached.

    ``negotiated`` says that another ``Accept-Encoding`` could have chosen another file. A range
    of a coded file (``coding`` is not identity) is of no use to a browser and never served.
    """

    file: Path
    size_bytes: int
    validators: Validators
    content_type: str
    cache_control: str
    coding: Coding = "identity"
    negotiated: bool = False


def find_data(root: Path, path: str) -> Representation | None:
    """The file of a data tree that answers ``path`` (decoded, without leading slash), or None.

    ``root`` is absolute and free of links, here and below.
    The rules, first that finds a file: the file itself; ``X.gz`` for ``X``; for a directory its
    ``index.json`` or ``index.json.gz``; ``frames/1.mht`` for ``frames/1``, or a single part
    (``frames/1.jhc``), whose type then names its transfer syntax. A ``.gz`` found so is sent with
    ``Content-Encoding: gzip`` to everybody, as a static host would.
    """
    for name, content_type, coding in _data_candidates(path.rstrip("/")):
        found = _regular_file(root, name)
        if found is not None:
            known = content_type or _data_type(found[0], asked=path.rstrip("/"))
            return _representation(*found, known, "no-cache", coding)
    return None


def find_viewer(
    root: Path, path: str, accept_encoding: str | None, *, whole: bool
) -> Representation | None:
    """The viewer's file for ``path``, precompressed where the client takes that, or None.

    ``whole`` is False for a request with a range, which gets the file as it is.
    """
    if path == "" or path.endswith("/"):
        path += "index.html"
    plain = _regular_file(root, path)
    if plain is None:
        return None
    immutable = _HASHED_ASSET.fullmatch(path) is not None
    cache_control = "public, max-age=31536000, immutable" if immutable else "no-cache"
    coded = {coding: _regular_file(root, path + suffix) for coding, suffix in _CODING_SUFFIXES}
    negotiated = any(coded.values())
    for coding, found in coded.items():
        if whole and found is not None and accepts_coding(accept_encoding, coding):
            return _representation(
                *found, _type_of(plain[0]), cache_control, coding, negotiated=True
            )
    return _representation(*plain, _type_of(plain[0]), cache_control, negotiated=negotiated)


def accepts_coding(accept_encoding: str | None, coding: Coding) -> bool:
    """Whether ``Accept-Encoding`` allows a coding (RFC 9110 12.5.3); absent means no."""
    weights: dict[str, float] = {}
    for item in (accept_encoding or "").split(","):
        name, _, parameter = item.partition(";")
        key, _, value = parameter.partition("=")
        try:
            weights[name.strip().lower()] = float(value) if key.strip().lower() == "q" else 1.0
        except ValueError:
            weights[name.strip().lower()] = 0.0
    return weights.get(coding, weights.get("*", 0.0)) > 0


def multipart_type(head: bytes) -> str:
    """``multipart/related`` with the parameters that the first bytes of the body tell.

    A stored body carries its own boundary, which RFC 2046 5.1.1 wants in the header as well.
    """
    line, found, _ = head.partition(b"\r\n")
    if not found or not re.fullmatch(rb"--[\w'()+,./:=?-]{1,70}", line):
        return "multipart/related"
    part = _PART_TYPE.search(head)
    part_type = part.group(1).decode("ascii") if part else "application/octet-stream"
    return f'multipart/related; type="{part_type}"; boundary="{line[2:].decode("ascii")}"'


def _data_candidates(path: str) -> Iterator[tuple[str, str | None, Coding]]:
    """Names to try in turn, with the content type where the suffix does not tell it."""
    yield path, None, "identity"
    leaf = path.rpartition("/")[2]
    known = next((t for suffix, t in CONTENT_TYPES.items() if leaf.endswith(suffix)), None)
    yield f"{path}.gz", known or DICOM_JSON, "gzip"
    yield f"{path}/index.json".lstrip("/"), DICOM_JSON, "identity"
    yield f"{path}/index.json.gz".lstrip("/"), DICOM_JSON, "gzip"
    for name in frame_files(path):
        yield name, None, "identity"
        if name.endswith(".mht"):
            yield f"{name}.gz", "multipart/related", "gzip"


def _regular_file(root: Path, path: str) -> tuple[Path, stat_result] | None:
    """A file below ``root``, never one that a path or a link leads to elsewhere."""
    parts = path.split("/")
    if "\0" in path or "\\" in path or any(part in ("", ".", "..") for part in parts):
        return None
    try:
        file = root.joinpath(*parts).resolve(strict=True)
        status = file.stat()
    except (OSError, RuntimeError):
        return None
    return (file, status) if file.is_relative_to(root) and stat.S_ISREG(status.st_mode) else None


def _type_of(file: Path) -> str:
    content_type = CONTENT_TYPES.get(file.suffix.lower(), "application/octet-stream")
    if content_type != "multipart/related":
        return content_type
    with file.open("rb") as stream:
        return multipart_type(stream.read(512))


def _data_type(file: Path, *, asked: str) -> str:
    """That of the name, or of a frame that was found under another."""
    bare = file.suffix in BARE_FRAMES and not asked.endswith(file.suffix)
    return bare_frame_type(file) if bare else _type_of(file)


def _representation(
    file: Path,
    status: stat_result,
    content_type: str,
    cache_control: str,
    coding: Coding = "identity",
    *,
    negotiated: bool = False,
) -> Representation:
    suffix = "" if coding == "identity" else f"-{coding}"
    validators = Validators(
        etag=f'"{status.st_size:x}-{status.st_mtime_ns:x}{suffix}"',
        modified_s=int(status.st_mtime),
    )
    return Representation(
        file, status.st_size, validators, content_type, cache_control, coding, negotiated
    )
