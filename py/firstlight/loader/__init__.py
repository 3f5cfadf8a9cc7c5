"""The asynchronous shell: carries out commands, feeds events back; no policy."""

from firstlight.loader.loader import Loader
from firstlight.loader.outside import FIRST_SEGMENT, Adoption, Outside

__all__ = ["FIRST_SEGMENT", "Adoption", "Loader", "Outside"]
