"""What a URL holds, and whether that can be shown progressively."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from firstlight.check.facts import CodestreamFacts, CodestreamLook
from firstlight.check.findings import Finding, ok, problem, warning
from firstlight.check.ranges import HEAD_BYTES
from firstlight.dicom.codecs import coding_of
from firstlight.dicom.jpeg import read_jpeg
from firstlight.dicom.part10 import Part10Reader
from firstlight.dicomweb.multipart import payload_stop, read_part_head
from firstlight.errors import FirstlightError, LimitExceeded, NotDicom, Unreachable
from firstlight.ranges import ByteRange
from firstlight.sources.address import resolve
from firstlight.sources.descriptor import read_descriptor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firstlight.check.kinds import Kind
    from firstlight.check.probe import Probe
    from firstlight.check.ranges import Head
    from firstlight.dicom.frames import FramePlace
    from firstlight.dicom.part10 import Part10Index

MAX_JSON_BYTES: Final = 64 << 20
MAX_READ_BYTES: Final = 1 << 20
MANY_READS: Final = 8
"""More small reads than this before the first pixel are felt."""

MAX_READS: Final = 24
"""Reads of one content: enough for every well-made file, and a bound for the others."""


@dataclass(slots=True)
class Content:
    """``first_frame_url`` is where a descriptor leads to."""

    findings: list[Finding] = field(default_factory=list)
    holds: dict[str, Any] = field(default_factory=dict)
    first_frame_url: str = ""


async def look_at_content(probe: Probe, url: str, head: Head, kind: Kind) -> Content:
    """Read as much as tells what it is, and judge that."""
    content = Content(holds={"kind": kind})
    supply = _Supply(probe, url, head)
    try:
        match kind:
            case "descriptor":
                await _descriptor(content, probe, url)
            case "codestream" | "jp2 file":
                await _codestream(content, supply.get, head.total_bytes, url, head.data)
            case "jpeg stream":
                content.findings += judge_jpeg(head.data, url)
            case "part 10 file":
                await _part10(content, supply, url, head)
            case "multipart frame":
                await _multipart(content, supply, url, head)
            case "dicom json":
                content.findings.append(ok("Content", "DICOM JSON: metadata of instances"))
            case "sidecar":
                content.findings.append(ok("Content", "the index of a Part 10 file"))
            case _:
                content.findings.append(_unknown(kind, head))
    except FirstlightError as error:
        content.findings.append(problem("Content", error.message))
    return content


def _unknown(kind: Kind, head: Head) -> Finding:
    if kind == "web page":
        change = "the URL leads to a page, perhaps of a log-in, and not to an image"
        return problem("Content", "a web page", change)
    shown = head.data[:8].hex(" ")
    text = f"begins with {shown}: no codestream, Part 10 file, multipart frame or firstlight.json"
    return problem("Content", text if head.data else "no bytes at all")


class _Supply:
    """Ranges of a resource; without ranges, what lies near its beginning."""

    def __init__(self, probe: Probe, url: str, head: Head) -> None:
        self._probe = probe
        self._url = url
        self._head = head
        self._beginning = head.data
        self.reads = 0

    async def get(self, extent: ByteRange) -> bytes:
        """At most `MAX_READ_BYTES`; fewer where the resource ends.

        Raises:
            Unreachable: they did not come.
            LimitExceeded: more than `MAX_READS`.
        """
        start = extent.start
        stop = min(extent.stop or start + MAX_READ_BYTES, start + MAX_READ_BYTES)
        total = self._head.total_bytes
        stop = stop if total is None else min(stop, total)
        held = self._beginning[start:stop]
        if start >= stop or len(held) == stop - start or self._all_here:
            return held
        return held + await self._fetch(start + len(held), stop)

    @property
    def _all_here(self) -> bool:
        return self._head.reply.status == 200 and self._head.reply.whole

    async def _fetch(self, start: int, stop: int) -> bytes:
        if self.reads >= MAX_READS:
            text = f"not understood after {MAX_READS} reads"
            raise LimitExceeded(text, resource=self._url)
        self.reads += 1
        if self._head.ranges:
            reply = await self._probe.range(self._url, start, stop)
            if reply.status == 206:
                return reply.body[: stop - start]
            if reply.status == 416:
                return b""
        elif stop <= MAX_READ_BYTES:
            reply = await self._probe.get(self._url, limit_bytes=MAX_READ_BYTES)
            if reply.status == 200:
                self._beginning = reply.body
                return self._beginning[start:stop]
        text = f"bytes {start} to {stop} did not come, so the rest is not looked at"
        raise Unreachable(text, resource=self._url)


async def _descriptor(content: Content, probe: Probe, url: str) -> None:
    reply = await probe.get(url, limit_bytes=MAX_JSON_BYTES)
    if reply.failure or not reply.whole or reply.status != 200:
        content.findings.append(problem("Content", f"not read whole: {reply.failure}"))
        return
    descriptor = read_descriptor(reply.body, resource=url)
    frames = [frame for series in descriptor.series for frame in series.frames]
    content.holds |= {
        "series": len(descriptor.series),
        "frames": len(frames),
        "bytes": len(reply.body),
    }
    if not frames:
        content.findings.append(problem("Content", "a firstlight.json without a frame"))
        return
    text = f"firstlight.json: {len(descriptor.series)} series, {len(frames)} frames"
    content.findings.append(ok("Content", f"{text}, the ends of all levels known"))
    content.first_frame_url = resolve(url, frames[0].url)


async def _codestream(
    content: Content,
    read: Callable[[ByteRange], Awaitable[bytes]],
    length: int | None,
    url: str,
    head: bytes,
) -> None:
    facts = await CodestreamLook(read, length, resource=url, head=head).facts()
    content.holds["codestream"] = facts.to_json()
    content.findings += judge_codestream(facts)


def judge_codestream(facts: CodestreamFacts) -> list[Finding]:
    """How well a codestream is made for progressive loading."""
    family = "HTJ2K" if facts.high_throughput else "JPEG 2000"
    size = f"{facts.columns} x {facts.rows}"
    what = f"{family} codestream, {size}, {facts.wavelet}, {facts.progression_order}"
    findings = [ok("Content", f"{what}, as of transfer syntax {facts.transfer_syntax_uid}")]
    if facts.flaw:
        findings.append(problem("Codestream", facts.flaw))
    if not facts.high_throughput:
        text = "JPEG 2000 decodes 20 to 40 times slower than HTJ2K"
        findings.append(warning("Codestream", text, "firstlight prepare makes HTJ2K of it"))
    findings.append(_level_ends(facts))
    smallest = facts.levels[0]
    if min(smallest.columns, smallest.rows) > 64:
        text = f"the smallest level has {smallest.columns} x {smallest.rows} pixels"
        findings.append(warning("Levels", text, "more decomposition levels: 64 pixels or fewer"))
    return findings


def _level_ends(facts: CodestreamFacts) -> Finding:
    known = f"{len(facts.levels)} levels, all ends known from {facts.reading}"
    if not facts.level_ends_known:
        text = "the end of each level cannot be told: the picture grows by guesses"
        return warning("Level ends", text, "write RPCL with TLM and a tile-part for each level")
    first, last = facts.levels[0].stop_byte, facts.levels[-1].stop_byte
    if len(facts.levels) > 1 and first and last and 2 * first > last:
        share = f"{100 * first / last:.0f} % of the bytes"
        text = f"{facts.progression_order}, {facts.layers} layers: the smallest level needs {share}"
        return warning("Level ends", text, "write RPCL with one layer")
    if facts.method == "tlm" and facts.tlm:
        return ok("Level ends", f"TLM, one tile-part for each level: {known}")
    place = {"plt": "PLT", "tlm": "tile-part headers"}.get(facts.method, "packet headers")
    text = f"no TLM with a tile-part for each level; from {place}: {known}"
    return warning("Level ends", text, "TLM and one tile-part for each level tell it at once")


def judge_jpeg(head: bytes, url: str) -> list[Finding]:
    """A bare JPEG or JPEG-LS stream has no levels, and says little of itself."""
    image, coding = read_jpeg(head, resource=url)
    size = f"{image.columns} x {image.rows}"
    text = f"a bare stream, as of transfer syntax {coding.transfer_syntax_uid}, {size}"
    return [
        ok("Content", text),
        warning(
            "Levels",
            f"{coding.codec} streams have no resolution levels: shown when whole",
            "firstlight prepare makes HTJ2K of DICOM files",
        ),
    ]


async def _part10(content: Content, supply: _Supply, url: str, head: Head) -> None:
    reader = Part10Reader(head.total_bytes, resource=url)
    try:
        while (wanted := reader.wanted) is not None:
            reader.feed(wanted.start, await supply.get(wanted))
    except NotDicom as error:
        await _metadata(content, supply, url, head, error)
        return
    except LimitExceeded:
        text = f"DICOM Part 10 file whose frames are not found after {supply.reads} requests"
        change = "write an offset table, or lay a firstlight index beside the file"
        content.findings.append(warning("Offsets", text, change))
        return
    index = reader.index
    assert index is not None
    coding = coding_of(index.transfer_syntax_uid, resource=url)
    content.holds |= {
        "transfer_syntax_uid": index.transfer_syntax_uid,
        "frames": len(index.frames),
        "reads": supply.reads,
    }
    text = f"DICOM Part 10 file, transfer syntax {index.transfer_syntax_uid}"
    content.findings.append(ok("Content", f"{text}, {len(index.frames)} frames"))
    content.findings.append(_frames_found(index, supply.reads))
    if not coding.scalable:
        text = f"{coding.codec} frames have no resolution levels: shown when whole"
        content.findings.append(warning("Levels", text, "firstlight prepare makes HTJ2K of it"))
        return
    place = index.frames[0]
    if place.fragments:
        text = f"the first frame is in {len(place.fragments)} fragments"
        content.findings.append(warning("Fragments", text, "write each frame as one fragment"))
        return
    await _codestream(content, _within(supply, place), place.length, url, b"")


def _frames_found(index: Part10Index, reads: int) -> Finding:
    if reads <= MANY_READS or len(index.frames) == 1:
        return ok("Offsets", f"all frames found with {reads} more requests")
    text = f"no offset table to be believed: {reads} requests to find {len(index.frames)} frames"
    return warning("Offsets", text, "firstlight index writes them beside the file")


async def _metadata(
    content: Content, supply: _Supply, url: str, head: Head, error: NotDicom
) -> None:
    """A Part 10 file without pixels describes an image all the same."""
    from firstlight.dicom import metadata

    data = head.data
    while len(data) < (head.total_bytes or 0) <= MAX_READ_BYTES:
        more = await supply.get(ByteRange(len(data)))
        if not more:
            break
        data += more
    try:
        dataset = metadata.read_part10_header(data, resource=url)
    except NotDicom:
        raise error from None
    if "PixelData" in dataset or head.total_bytes is None or len(data) < head.total_bytes:
        raise error
    image = metadata.image_attributes(dataset)
    content.holds |= {"kind": "metadata", "image": image.to_json()}
    text = f"DICOM metadata without pixels, of an image of {image.columns} x {image.rows}"
    content.findings.append(ok("Content", text))


def _within(supply: _Supply, place: FramePlace) -> Callable[[ByteRange], Awaitable[bytes]]:
    async def read(extent: ByteRange) -> bytes:
        stop = place.length if extent.stop is None else min(extent.stop, place.length)
        if extent.start >= stop:
            return b""
        return await supply.get(ByteRange(extent.start, stop).shifted(place.start))

    return read


async def _multipart(content: Content, supply: _Supply, url: str, head: Head) -> None:
    part = read_part_head(head.data, resource=url)
    if part is None:
        content.findings.append(problem("Content", "a multipart body without a part"))
        return
    content.holds |= {
        "boundary": part.boundary.decode("latin-1"),
        "media_type": part.media_type,
        "transfer_syntax_uid": part.transfer_syntax_uid,
        "payload_start": part.payload_start,
    }
    text = f"a frame as multipart/related, {part.media_type or 'no type'}"
    content.findings.append(ok("Content", f"{text}, from byte {part.payload_start}"))
    length, total = part.length, head.total_bytes
    if length is None and total is not None and head.ranges:
        tail_start = max(part.payload_start, total - HEAD_BYTES)
        tail = await supply.get(ByteRange(tail_start, total))
        length = payload_stop(part, tail, total) - part.payload_start
    start = part.payload_start
    if head.data[start : start + 2] != b"\xff\x4f":
        text = "the part is no codestream: it has no resolution levels, and is shown when whole"
        content.findings.append(warning("Levels", text, "store HTJ2K, or firstlight prepare"))
        return

    async def read(extent: ByteRange) -> bytes:
        return await supply.get(extent.shifted(start))

    await _codestream(content, read, length, url, b"")
