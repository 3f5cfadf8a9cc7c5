"""Where a configuration comes from: a name, an object, JSON text, or the address of a JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from firstlight.errors import ConfigurationError, FirstlightError
from firstlight.retrieve.lookup import Configurations
from firstlight.retrieve.parse import MAX_JSON_BYTES, parse_configurations

if TYPE_CHECKING:
    from firstlight.sources.base import Resources

_ADDRESS: Final = re.compile(r"[/.:]")
"""Names of stock configurations have none of these."""


def is_address(written: object) -> bool:
    """Whether what was written is where a configuration lies, not the configuration."""
    if not isinstance(written, str) or written.lstrip().startswith("{"):
        return False
    return _ADDRESS.search(written) is not None


async def load_configurations(written: object, resources: Resources) -> Configurations:
    """The configurations that were written, or that lie at an address; nothing written: none.

    Raises:
        ConfigurationError: it did not come, or a field of it is wrong; ``resource`` is the address.
    """
    if written is None or written == "":
        return Configurations()
    if not is_address(written):
        return parse_configurations(written)
    url = str(written)
    try:
        body = await resources.whole(url, limit_bytes=MAX_JSON_BYTES, accept="application/json")
        return parse_configurations(_text(body))
    except ConfigurationError as error:
        raise ConfigurationError(error.message, resource=url) from error
    except FirstlightError as error:
        raise ConfigurationError(f"configuration: {error.message}", resource=url) from error


def _text(body: bytes) -> str:
    try:
        found = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ConfigurationError("configuration: not UTF-8") from error
    if not found.startswith("{"):
        raise ConfigurationError("configuration: not a JSON object")
    return found
