"""What people write to a ``src``: paths, URLs, and the words before them."""

from __future__ import annotations

from pathlib import Path

from firstlight.adapters.load import address_of
from firstlight.errors import MalformedDescriptor


def as_url(written: str) -> str:
    """A ``src`` whose address is a URL, where a path may have been written.

    Raises:
        MalformedDescriptor: no such file.
    """
    address = address_of(written)
    if "://" in address:
        return written
    path, fragment = Path(address).expanduser(), ""
    if not path.is_file():
        before, mark, after = address.rpartition("#")
        path, fragment = Path(before).expanduser(), mark + after
    if not path.is_file():
        raise MalformedDescriptor("no such file", resource=address)
    prefix = written[: len(written) - len(address)]
    return prefix + path.resolve().as_uri() + fragment
