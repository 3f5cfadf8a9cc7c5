"""The whole check: one inquiry for each URL that matters for a ``src``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from firstlight.adapters.load import open_resources
from firstlight.check import access, ranges
from firstlight.check.content import look_at_content
from firstlight.check.findings import Inquiry, Report, problem, warning
from firstlight.check.kinds import recognise
from firstlight.check.probe import SILENCE_S, Probe, origin_of
from firstlight.errors import FirstlightError
from firstlight.sources.address import split_frame, split_limit
from firstlight.sources.dicomweb import DicomwebSource
from firstlight.sources.jphuri import metadata_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firstlight.check.findings import Finding
    from firstlight.sources.base import FrameExtent

TOTAL_S: Final = 120.0
"""No inquiry takes longer, whatever the server does."""

OTHER_ORIGIN: Final = "https://viewer.example"
"""Whose page asks, unless said otherwise: not the server's own."""

_READ_WHOLE: Final = ("descriptor", "sidecar", "dicom json", "metadata", "web page")
"""What needs no ranges."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a page of ``origin``, with ``headers``; it waits ``silence_s`` for a server."""

    origin: str = OTHER_ORIGIN
    headers: Mapping[str, str] = field(default_factory=dict)
    silence_s: float = SILENCE_S


async def check(src: str, asker: Asker) -> Report:
    """Check what a ``src`` names, and the first frame that it leads to; never raises for a server.

    Raises:
        MalformedDescriptor: ``src`` is no address.
    """
    kind, _, address = src.partition(":")
    match kind:
        case "dicomweb":
            return await _check_dicomweb(address, asker)
        case "jphuri":
            address = split_frame(split_limit(address)[0])[0]
            urls = [address, metadata_url(address)]
        case "wadouri":
            urls = [split_frame(address)[0]]
        case _:
            urls = [src]
    found = []
    for url in urls:
        inquiry, leads_to = await _inquire(url, "", asker)
        found.append(inquiry)
        if leads_to:
            # Credentials are for the server asked, not for whatever a file of it names.
            known = origin_of(leads_to) == origin_of(url)
            asker = asker if known else replace(asker, headers={})
            found.append((await _inquire(leads_to, "", asker))[0])
    return Report(tuple(found))


async def _check_dicomweb(url: str, asker: Asker) -> Report:
    """Find the first frame by the service's metadata, and check that."""
    try:
        async with asyncio.timeout(TOTAL_S):
            extent, notices = await _first_frame(url, asker)
    except TimeoutError:
        finding = problem("Metadata", f"not there after {TOTAL_S:.0f} s")
        return Report((Inquiry(url, 0, (finding,), {}),))
    except FirstlightError as error:
        finding = problem("Metadata", str(error))
        return Report((Inquiry(url, 0, (finding,), {}),))
    inquiry, _ = await _inquire(extent.url, extent.accept, asker)
    left_out = tuple(warning("Left out", text) for text in notices)
    return Report((replace(inquiry, findings=(*inquiry.findings, *left_out)),))


async def _first_frame(url: str, asker: Asker) -> tuple[FrameExtent, list[str]]:
    """The first frame, and what the service has that cannot be shown."""
    async with open_resources(url, asker.headers) as resources:
        found = await DicomwebSource(url).open(resources)
    notices = [*resources.notices, *(text for series in found for text in series.notices)]
    return found[0].frames[0].extent, notices


async def _inquire(url: str, accept: str, asker: Asker) -> tuple[Inquiry, str]:
    """All findings about one URL, and the URL of the first frame that it leads to."""
    sent = {**({"Accept": accept} if accept else {}), **asker.headers}
    findings: list[Finding] = []
    holds: dict[str, object] = {}
    leads_to = ""
    async with Probe(asker.origin, headers=sent, silence_s=asker.silence_s) as probe:
        try:
            async with asyncio.timeout(TOTAL_S):
                holds, leads_to = await _look(probe, url, findings)
        except TimeoutError:
            findings.append(problem("Time", f"given up after {TOTAL_S:.0f} s"))
        return Inquiry(url, probe.requests, tuple(findings), holds), leads_to


async def _look(probe: Probe, url: str, findings: list[Finding]) -> tuple[dict[str, object], str]:
    head, answered = await ranges.first_bytes(probe, url)
    findings += answered
    if head is None:
        return {}, ""
    content = await look_at_content(probe, url, head, recognise(head.data))
    kind = content.holds["kind"]
    if kind not in _READ_WHOLE:
        findings += await ranges.look_at_ranges(probe, url, head)
        findings.append(await ranges.look_at_compression(probe, url))
    findings += access.look_at_cors(head.reply, url, probe.origin)
    if preflight := await access.look_at_preflight(probe, url):
        findings.append(preflight)
    findings.append(access.look_at_type(head.reply, kind))
    if timing := access.look_at_timing(head.reply, url, probe.origin):
        findings.append(timing)
    findings += await access.look_at_connection(probe, url)
    findings += content.findings
    return content.holds, content.first_frame_url
