"""The viewers that are compared: where their pages are, how they are told to open something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from bench.data import CACHE, ROOT

if TYPE_CHECKING:
    from bench.data import Target

Viewport = Literal["stack", "volume"]
PAGES: Final = Path(__file__).parent / "pages"


@dataclass(frozen=True)
class Peer:
    """One viewer in one configuration."""

    name: str
    label: str
    page_folder: Path
    configuration: str = ""
    """Of the incumbent's stack; empty for Firstlight."""

    @property
    def is_firstlight(self) -> bool:
        return not self.configuration

    @property
    def scripts(self) -> list[Path]:
        """What runs in the page before its own scripts."""
        own = [PAGES / "firstlight.js"] if self.is_firstlight else []
        return [PAGES / "watch.js", *own]

    def address(self, target: Target, viewport: Viewport) -> str:
        """Path and query of a page that opens the target as it starts."""
        if self.is_firstlight:
            return f"/?src=data/{target.name}/firstlight.json"
        query = f"series={target.series_path}&viewport={viewport}"
        return f"/cornerstone.html?{query}&configuration={self.configuration}"

    def words_to_open(self, target: Target, viewport: Viewport) -> list[Any]:
        """Arguments of `bench.open` in a page that is there already."""
        if self.is_firstlight:
            return [f"data/{target.name}/firstlight.json"]
        return [target.series_path, viewport, self.configuration]


FIRSTLIGHT: Final = Peer("firstlight", "Firstlight", ROOT / "dist")
BYTE_RANGE: Final = Peer(
    "cornerstone", "cornerstone3D", CACHE / "cornerstone", configuration="range"
)
STREAMING: Final = Peer(
    "cornerstone-streaming",
    "cornerstone3D streaming",
    CACHE / "cornerstone",
    configuration="stream",
)
PEERS: Final = {peer.name: peer for peer in (FIRSTLIGHT, BYTE_RANGE, STREAMING)}
