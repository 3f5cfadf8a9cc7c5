"""The asynchronous shell: carries out commands, feeds events back; no policy."""

from firstlight.loader.loader import Adoption, Loader, Outside

__all__ = ["Adoption", "Loader", "Outside"]
