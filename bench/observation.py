"""What one page saw: marks of events and readings of its canvas, on one clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

READ = """() => ({
  marks: bench.marks, reads: bench.reads, startedAt: bench.startedAt,
  timeOrigin: performance.timeOrigin,
})"""


class NotSeen(Exception):
    """The page has no such event."""


@dataclass(frozen=True)
class Observation:
    """All times are ms since the source was asked for, or since the navigation."""

    marks: list[dict[str, Any]]
    reads: list[dict[str, Any]]
    started_at: float
    time_origin: float

    @classmethod
    def of(cls, page: Page) -> Observation:
        seen = page.evaluate(READ)
        return cls(seen["marks"], seen["reads"], seen["startedAt"], seen["timeOrigin"])

    def epoch_ms(self, elapsed_ms: float) -> float:
        return self.time_origin + self.started_at + elapsed_ms

    def event(self, name: str) -> float:
        """When the event came first."""
        found = next((mark for mark in self.marks if mark["name"] == name), None)
        if found is None:
            raise NotSeen(name)
        return float(found["at"] - self.started_at)

    def first_image(self, side_px: int, least_side_px: int = 0) -> float:
        """The event of the first picture of that size or more; ``side_px`` is the whole image's."""
        for mark in self.marks:
            if mark["name"] == "image" and _side_px(mark["detail"], side_px) >= least_side_px:
                return float(mark["at"] - self.started_at)
        raise NotSeen("image")

    def first_pixels(self) -> float:
        """The first reading of the canvas that is not blank and not what was there before."""
        before = self.reads[0]["picture"] if self.started_at else 0
        for read in self.reads:
            if read["picture"] not in (0, before):
                return float(read["at"] - self.started_at)
        raise NotSeen("pixels")

    def pixels_after(self, event_ms: float) -> float:
        """The first reading of the canvas after the first drawing after an event."""
        drawn = self._first_after(self._drawings(), event_ms + self.started_at)
        return self._first_after([read["at"] for read in self.reads], drawn) - self.started_at

    def _drawings(self) -> list[float]:
        return [mark["at"] for mark in self.marks if mark["name"] == "rendered"]

    @staticmethod
    def _first_after(times: list[float], at: float) -> float:
        found = next((time for time in times if time >= at), None)
        if found is None:
            raise NotSeen("drawing")
        return found


def _side_px(detail: dict[str, int], side_px: int) -> int:
    if "sidePx" in detail:
        return detail["sidePx"]
    return -(-side_px // (1 << detail["halvings"]))
