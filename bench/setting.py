"""One peer on one network: its pages, opened in the same way for every scenario."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.link import BenchServer, is_void

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from bench.browser import Chromium
    from bench.data import Target
    from bench.peers import Peer, Viewport

CANVAS_PX: Final = {"image": 512, "series": 256, "warmup": 256}
"""Pixels a side of the canvas by target: of the stack, and of one axial viewport."""

POLL_MS: Final = 50
LOOKED_AT_MS: Final = 2500
"""How long somebody looks at the first image at least, before the one that is measured."""

PROBES: Final = 3
"""How often a link that is too slow gets another chance before its run is void."""


@dataclass
class Setting:
    chromium: Chromium
    data: Path
    targets: dict[str, Target]
    peer: Peer
    network: str
    mbit_s: float = 0
    """What the last probe found, 0 before there was one."""

    windows: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Firstlight's window sizes by target, found once; shared by all settings of a run."""

    @property
    def void(self) -> bool:
        return is_void(self.network, self.mbit_s)

    @contextmanager
    def server(self, port: int = 0) -> Iterator[BenchServer]:
        """A server of this peer's page, its link just probed; port 0 picks a free one."""
        with BenchServer(self.data, self.peer.page_folder, self.network, port=port) as server:
            for _ in range(PROBES):
                self.mbit_s = server.probe_mbit_s()
                if not self.void:
                    break
            yield server

    @contextmanager
    def page(self, target: Target, profile: Path | None = None) -> Iterator[Page]:
        """A page whose canvas will have `CANVAS_PX` pixels a side, nothing open yet."""
        with self.chromium.page(self.peer.scripts, self._window(target), profile) as page:
            yield page

    def _window(self, target: Target) -> tuple[int, int]:
        side_px = CANVAS_PX[target.name]
        if not self.peer.is_firstlight:
            return side_px, side_px  # its page is nothing but the canvas
        if not self.windows:
            self._find_windows()
        return self.windows[target.name]

    def _find_windows(self) -> None:
        """The windows in which our canvas has the size wanted, with the tools around it."""
        with (
            BenchServer(self.data, self.peer.page_folder, "local") as server,
            self.chromium.page(self.peer.scripts, (0, 0)) as page,
        ):
            for name, side_px in CANVAS_PX.items():
                page.set_viewport_size({"width": side_px, "height": side_px})
                self.navigate(page, server, self.targets[name], "stack")
                wait_for(page, "bench.reads.some(({ picture }) => picture !== 0)")
                width, height = page.evaluate("[bench.canvas().width, bench.canvas().height]")
                self.windows[name] = (2 * side_px - width, 2 * side_px - height)

    def navigate(self, page: Page, server: BenchServer, target: Target, viewport: Viewport) -> None:
        """Open the page with the target in its address."""
        page.goto(server.url + self.peer.address(target, viewport), wait_until="commit")

    def warm_up(self, page: Page, server: BenchServer, viewport: Viewport) -> None:
        """Show another image first: code, decoders and shaders are then warm, Python is up."""
        self.navigate(page, server, self.targets["warmup"], viewport)
        wait_until_seen(page, "final" if viewport == "stack" else "complete")
        if self.peer.is_firstlight:
            wait_until_seen(page, "complete")
            wait_for(page, "bench.marked('ready') !== undefined")
        self.wait_until_kept(page)
        page.wait_for_timeout(LOOKED_AT_MS)

    def wait_for_python(self, page: Page) -> None:
        """Wait until everything runs that the peer has, in a page where something is open."""
        if self.peer.is_firstlight:
            page.evaluate("() => bench.python()")

    def wait_until_kept(self, page: Page) -> None:
        """Wait until the page has put away what it keeps for the next visit."""
        if self.peer.is_firstlight:
            wait_for(page, "bench.marked('kept') !== undefined")

    def open(self, page: Page, target: Target, viewport: Viewport) -> None:
        """Start the clock and ask for the target in a page that is there."""
        words = self.peer.words_to_open(target, viewport)
        page.evaluate("(words) => { bench.start(); bench.open(...words); }", words)


class PageFailed(Exception):
    """The page says that it cannot go on."""


def wait_for(page: Page, condition: str) -> None:
    """Wait for a condition in the page; in polls, so as not to load it.

    Raises:
        PageFailed: an error came instead.
    """
    expression = f"bench.failure ?? ({condition})"
    outcome = page.wait_for_function(expression, polling=POLL_MS).json_value()
    if isinstance(outcome, str):
        raise PageFailed(outcome)


def wait_until_seen(page: Page, name: str) -> None:
    """Wait until what the event tells of is on the canvas."""
    wait_for(page, f"bench.seen('{name}')")
