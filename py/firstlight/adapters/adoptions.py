"""What the page hands over, out of the JSON that it comes as."""

from __future__ import annotations

import json
from typing import Any

from firstlight import ports
from firstlight.adapters.bridge import make_error
from firstlight.loader import Adoption
from firstlight.ranges import ByteRange


def read_adoptions(text: str) -> tuple[Adoption, ...]:
    """The segments that a prelude has begun (`web/engine/begun-segments.js`)."""
    return tuple(_adoption(record) for record in json.loads(text))


def _adoption(record: dict[str, Any]) -> Adoption:
    heard = tuple(_event(message, record["url"]) for message in record.pop("heard", ()))
    return Adoption(**record, heard=heard)


def _event(message: dict[str, Any], url: str) -> ports.TransportEvent:
    """A message of the transport (`web/README.md`) as the loader's events."""
    segment, stop = message["segment"], message["stop"]
    match message["kind"]:
        case "opened":
            extent = ByteRange(message["start"], stop)
            total, version = message["totalBytes"], message["version"]
            return ports.Opened(segment, extent, total, version, message["ranges"])
        case "milestone":
            return ports.Milestone(segment, stop)
        case "closed":
            return ports.Closed(segment, stop, message["cancelled"])
        case _:
            error = message["error"]
            status, after_ms = error.get("status"), error.get("retryAfterMs")
            made = make_error(error["type"], error["message"], url, status, after_ms)
            return ports.Failed(segment, stop, made)
