"""May a page of another origin read it, and what else the head of an answer says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from firstlight.check.findings import Finding, ok, problem, warning
from firstlight.check.probe import Probe, can_http2, origin_of

if TYPE_CHECKING:
    from firstlight.check.probe import Reply

EXPOSED: Final = ("Content-Range", "ETag", "Accept-Ranges", "Content-Encoding")
"""What the viewer reads and CORS hides unless told; Content-Length, Last-Modified never are."""

_NEEDED: Final = ("content-range", "etag")
_OPEN: Final = "Access-Control-Allow-Origin: * (or the viewer's origin, with Vary: Origin)"


def look_at_cors(reply: Reply, url: str, origin: str) -> list[Finding]:
    """What CORS allows (WHATWG Fetch 3.2), from the answer to a request with Origin."""
    if origin_of(url) == origin:
        return [ok("CORS", "not needed: the viewer is on the same origin")]
    allowed = reply.header("access-control-allow-origin")
    if not allowed:
        text = f"no Access-Control-Allow-Origin: a page of {origin} may not read it"
        return [problem("CORS", text, f"send {_OPEN}, or put the viewer on the same origin")]
    if allowed not in ("*", origin):
        text = f"Access-Control-Allow-Origin is {allowed}, not * or {origin}"
        return [problem("CORS", text, f"send {_OPEN}")]
    findings = [ok("CORS", f"Access-Control-Allow-Origin: {allowed}")]
    if allowed != "*" and "origin" not in reply.listed("vary"):
        text = f"Access-Control-Allow-Origin is {allowed}, but Vary does not name Origin"
        findings = [warning("CORS", text, "add Vary: Origin, or caches give it to other pages")]
    return [*findings, _exposed(reply)]


def _exposed(reply: Reply) -> Finding:
    listed = reply.listed("access-control-expose-headers")
    credentials = reply.header("access-control-allow-credentials").lower() == "true"
    if "*" in listed and not credentials:
        return ok("CORS, headers", "all headers may be read")
    hidden = [name for name in EXPOSED if name.lower() not in listed]
    change = f"Access-Control-Expose-Headers: {', '.join(EXPOSED)}"
    if any(name.lower() in _NEEDED for name in hidden):
        text = f"{', '.join(hidden)} may not be read: sizes and versions stay unknown"
        return warning("CORS, headers", text, change)
    return ok("CORS, headers", "Content-Range and ETag may be read")


async def look_at_preflight(probe: Probe, url: str) -> Finding | None:
    """Whether requests with Authorization get through; None where CORS plays no part."""
    if origin_of(url) == probe.origin:
        return None
    reply = await probe.get(
        url,
        {
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,range",
        },
        method="OPTIONS",
    )
    origin = reply.header("access-control-allow-origin")
    headers = reply.listed("access-control-allow-headers")
    change = "answer OPTIONS with 204 and Access-Control-Allow-Headers: Authorization, Range"
    if reply.failure or not 200 <= reply.status < 300 or origin not in ("*", probe.origin):
        came = reply.failure or f"status {reply.status}"
        text = f"preflight refused ({came}): needed only where a token or own headers are sent"
        return warning("CORS, preflight", text, change)
    missing = {"authorization", "range"} - headers
    if "*" in headers:
        missing -= {"range"}
    if missing:
        text = f"preflight does not allow {', '.join(sorted(missing))}"
        return warning("CORS, preflight", f"{text}: needed only where a token is sent", change)
    return ok("CORS, preflight", "OPTIONS allows Authorization and Range")


def look_at_type(reply: Reply, kind: str) -> Finding:
    """Whether Content-Type is one that nothing on the way tampers with."""
    value = reply.header("content-type")
    media_type = value.split(";")[0].strip().lower()
    if not media_type:
        return warning("Content-Type", "none", "application/octet-stream does for all images")
    if kind in ("descriptor", "dicom json"):
        if "json" in media_type:
            return ok("Content-Type", value)
        return warning("Content-Type", f"{value} for JSON", "application/json")
    if media_type.startswith("text/"):
        text = f"{value}: proxies may compress or convert text, which breaks ranges"
        return warning("Content-Type", text, "image/jphc, application/dicom or octet-stream")
    return ok("Content-Type", value)


def look_at_timing(reply: Reply, url: str, origin: str) -> Finding | None:
    """Whether a page may see how long its requests take; None on the same origin."""
    if origin_of(url) == origin:
        return None
    allowed = reply.header("timing-allow-origin")
    if allowed == "*" or origin in allowed.split(", "):
        return ok("Timing", f"Timing-Allow-Origin: {allowed}")
    text = "no Timing-Allow-Origin: the browser hides sizes and times of requests from the page"
    return warning("Timing", text, "Timing-Allow-Origin: *")


async def look_at_connection(probe: Probe, url: str) -> list[Finding]:
    """HTTP version, and whether one connection serves several requests."""
    first = await probe.range(url, 0, 100)
    second = await probe.range(url, 0, 100)
    findings = []
    if first.connection is None or not (first.whole and second.whole):
        pass  # broken off by this side, or failed: that says nothing
    elif first.connection == second.connection:
        findings.append(ok("Keep-alive", "a second request goes over the same connection"))
    else:
        text = "the connection is closed after each answer: a round trip more for each request"
        findings.append(warning("Keep-alive", text, "nginx: keepalive_timeout 65"))
    return [*findings, await _version(probe, url, first.http_version)]


async def _version(probe: Probe, url: str, plain_version: str) -> Finding:
    many = "HTTP/2 lets many requests share one connection (nginx: listen 443 ssl http2)"
    if urlsplit(url).scheme == "http":
        text = f"{plain_version or 'HTTP/1.1'} without TLS: six connections to a host at most"
        return ok("HTTP version", f"{text}, no HTTP/2 in browsers")
    if not can_http2():
        return warning("HTTP version", "HTTP/2 not tried: pip install h2 to have it checked")
    reply = await probe.get(url, {"Range": "bytes=0-99"}, limit_bytes=101, http_major=2)
    if reply.failure:
        return problem("HTTP version", f"broken where HTTP/2 is offered: {reply.failure}", many)
    if reply.http_version == "HTTP/2":
        if reply.status not in (200, 206):
            return problem("HTTP version", f"HTTP/2 answers with status {reply.status}")
        return ok("HTTP version", f"HTTP/2, and {plain_version}")
    return warning("HTTP version", f"{reply.http_version} only", many)
