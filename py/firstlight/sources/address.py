"""What an address says beside where a file is."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from firstlight.errors import MalformedDescriptor


def split_frame(url: str) -> tuple[str, int | None]:
    """The file's URL without ``frame=N``, and that number, which counts from 1.

    Raises:
        MalformedDescriptor: ``frame`` is not a number from 1 on.
    """
    parts = urlsplit(url)
    kept: list[str] = []
    number: int | None = None
    for item in parts.query.split("&") if parts.query else ():
        name, _, value = item.partition("=")
        if name != "frame":
            kept.append(item)
        elif value.isdecimal() and len(value) <= 9 and int(value) > 0:
            number = int(value)
        else:
            raise MalformedDescriptor("frame= takes a number from 1 on", resource=url)
    return urlunsplit(parts._replace(query="&".join(kept))), number
