"""Does a server give byte ranges, rightly, of one version, and uncompressed (RFC 9110 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firstlight.check.findings import Finding, ok, problem, warning

if TYPE_CHECKING:
    from firstlight.check.probe import Probe, Reply

HEAD_BYTES: Final = 4096
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.IGNORECASE | re.ASCII)
_OTHER_ETAG: Final = '"firstlight-another-version"'

_SERVE_RANGES: Final = "serve it as a static file, or have the proxy pass Range on"


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a resource. ``total_bytes`` is None where the server hides its size."""

    reply: Reply
    total_bytes: int | None
    ranges: bool

    @property
    def data(self) -> bytes:
        """What came of the first `HEAD_BYTES`."""
        return self.reply.body[:HEAD_BYTES]


async def first_bytes(probe: Probe, url: str) -> tuple[Head | None, list[Finding]]:
    """Ask for the first bytes; no head where the URL does not answer with the resource."""
    reply = await probe.range(url, 0, HEAD_BYTES)
    if reply.failure:
        return None, [problem("Answer", f"no answer: {reply.failure}")]
    if reply.status not in (200, 206):
        return None, [_refused(reply)]
    answered = ok("Answer", f"status {reply.status} to a request for the first bytes")
    if reply.status == 200:
        return Head(reply, _length(reply), ranges=False), [answered]
    shown, total = _content_range(reply, 0, HEAD_BYTES)
    return Head(reply, total, ranges=shown.grade != "problem"), [answered]


async def look_at_ranges(probe: Probe, url: str, head: Head) -> list[Finding]:
    """Whether ranges come rightly, and of one version."""
    if head.reply.status == 200:
        return [_ignored(head.reply)]
    shown, total = _content_range(head.reply, 0, HEAD_BYTES)
    findings = [shown]
    if head.ranges and total is not None:
        findings += await _other_ranges(probe, url, head, total)
    return [*findings, *await _versions(probe, url, head)]


def _refused(reply: Reply) -> Finding:
    change = {
        401: "the viewer has to be given credentials",
        403: "let the viewer's users read this path",
        404: "check the path and the server's root",
        416: "the resource is empty, or the server refuses ranges that begin at 0",
    }.get(reply.status, "")
    return problem("Answer", f"status {reply.status} instead of 206", change)


def _ignored(reply: Reply) -> Finding:
    length = _length(reply)
    if length is not None and length <= HEAD_BYTES:
        text = f"Range is ignored: 200 with all {length} bytes"
    else:
        text = "Range is ignored: 200 with the whole resource instead of 206"
    if reply.header("content-encoding"):
        text += f", compressed with {reply.header('content-encoding')}"
    return problem("Range", text, _SERVE_RANGES)


def _length(reply: Reply) -> int | None:
    value = reply.header("content-length")
    return int(value) if value.isdecimal() and not reply.header("content-encoding") else None


def _content_range(reply: Reply, start: int, stop: int) -> tuple[Finding, int | None]:
    """Whether a 206 is the range asked for, and the size of the resource."""
    value = reply.header("content-range")
    match = _CONTENT_RANGE.fullmatch(value)
    if match is None:
        text = f"206 with Content-Range {value!r}" if value else "206 without Content-Range"
        return problem("Range", text, "a 206 must say Content-Range: bytes first-last/total"), None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    right = min(stop, total or stop) - 1
    if first != start or last != right:
        text = f"bytes {start}-{right} asked for, Content-Range says {value}"
        return problem("Range", text, _SERVE_RANGES), total
    if len(reply.body) != last + 1 - first:
        text = f"Content-Range says {value}, {'more' if not reply.whole else len(reply.body)} bytes"
        return problem("Range", f"{text} came", _SERVE_RANGES), total
    if total is None:
        text = "206, but Content-Range hides the size of the resource"
        return warning("Range", text, "say the total length, not *"), None
    return ok("Range", f"206 with the right Content-Range, of {total} bytes"), total


async def _other_ranges(probe: Probe, url: str, head: Head, total: int) -> list[Finding]:
    findings = []
    start, stop = min(100, total // 2), min(200, total)
    middle = await probe.range(url, start, stop)
    if middle.status != 206 or middle.body != head.data[start:stop]:
        text = f"bytes {start} to {stop} are not those that came with the first bytes"
        findings.append(problem("Range in the middle", text, _SERVE_RANGES))
    suffix = await probe.get(url, {"Range": f"bytes=-{stop}"}, limit_bytes=stop + 1)
    ends = f"bytes {total - stop}-{total - 1}/{total}"
    if suffix.status == 206 and suffix.header("content-range").lower() == ends:
        findings.append(ok("Suffix range", f"the last {stop} bytes come as asked"))
    else:
        text = f"the last {stop} bytes asked for, status {suffix.status} came"
        findings.append(warning("Suffix range", text, "not needed for progressive loading"))
    return [*findings, await _beyond(probe, url, total)]


async def _beyond(probe: Probe, url: str, total: int) -> Finding:
    reply = await probe.range(url, total, total + 100)
    said = reply.header("content-range")
    if reply.status == 416 and said.lower() in (f"bytes */{total}", ""):
        return ok("Range behind the end", "416, as it must be")
    text = f"status {reply.status} {said} instead of 416".replace("  ", " ")
    return warning("Range behind the end", text, f"answer 416 with Content-Range: bytes */{total}")


async def _versions(probe: Probe, url: str, head: Head) -> list[Finding]:
    """Whether a change of the resource between two ranges can be noticed."""
    etag, modified = head.reply.header("etag"), head.reply.header("last-modified")
    if not etag and not modified:
        text = "neither ETag nor Last-Modified: a change between two ranges goes unnoticed"
        return [problem("Version", text, "send an ETag (nginx: etag on)")]
    if not etag:
        findings = [warning("Version", f"no ETag, only Last-Modified {modified}", "send an ETag")]
    elif etag.startswith("W/"):
        text = f"ETag {etag} is weak: it does not promise equal bytes"
        findings = [warning("Version", text, "send a strong ETag; compression makes it weak")]
    else:
        findings = [ok("Version", f"ETag {etag}")]
    if etag and not etag.startswith("W/"):
        findings.append(await _if_range(probe, url, etag))
    again = await probe.range(url, 0, min(100, head.total_bytes or 100))
    now = again.header("etag") or again.header("last-modified")
    if not again.failure and now != (etag or modified):
        text = f"{etag or modified} first, {now or 'none'} for the next request of the same bytes"
        change = "have all servers behind a balancer give the same ETag"
        findings.append(problem("Version", text, change))
    return findings


async def _if_range(probe: Probe, url: str, etag: str) -> Finding:
    same = await probe.range(url, 0, 100, If_Range=etag)
    other = await probe.range(url, 0, 100, If_Range=_OTHER_ETAG)
    if same.status == 206 and other.status == 200:
        return ok("If-Range", "206 for the same version, 200 for another")
    if same.status != 206:
        text = f"status {same.status} instead of 206 for the version that it has"
    else:
        text = f"status {other.status} instead of 200 for a version that it has not"
    return warning("If-Range", text, "compare If-Range with the ETag (RFC 9110 13.1.5)")


async def look_at_compression(probe: Probe, url: str) -> Finding:
    """Whether a browser that accepts compression still gets ranges of the bytes as stored."""
    reply = await probe.range(url, 0, HEAD_BYTES, Accept_Encoding="gzip, br, zstd")
    coding = reply.header("content-encoding").lower()
    if coding in ("", "identity"):
        return ok("Compression", "ranges come as stored, also where compression is accepted")
    change = "switch compression off for image files (nginx: gzip off)"
    if reply.status == 206:
        text = f"ranges come with Content-Encoding {coding}: offsets mean something else then"
        return problem("Compression", text, change)
    text = f"status {reply.status} with Content-Encoding {coding} where a range was asked for"
    return problem("Compression", text, change)
