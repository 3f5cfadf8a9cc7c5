"""The asynchronous shell: carries out commands, feeds events back; no policy."""

from firstlight.loader.loader import FIRST_SEGMENT, Adoption, Loader, Outside

__all__ = ["FIRST_SEGMENT", "Adoption", "Loader", "Outside"]
