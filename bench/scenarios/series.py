"""A series in a warm page; then a scroll through it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from bench.browser import memory_metrics
from bench.metric import MEMORY, TRAFFIC, Metric, Scenario
from bench.observation import Observation
from bench.setting import CANVAS_PX, wait_for, wait_until_seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from bench.data import Target
    from bench.setting import Setting

SCROLL_STEPS: Final = 20
NOTCH_PX: Final = 100


def measure(setting: Setting, target: Target) -> dict[str, float]:
    with setting.server() as server, setting.page(target) as page:
        setting.warm_up(page, server, "volume")
        server.counts.clear()
        setting.open(page, target, "volume")
        wait_until_seen(page, "complete")
        seen = Observation.of(page)
        traffic = server.counts.metrics()
        steps_ms = scroll(page, len(target.frame_bytes))
        return {
            "first_pixels_ms": seen.first_pixels(),
            "every_frame_ms": seen.pixels_after(seen.event("every-frame")),
            "complete_event_ms": seen.event("complete"),
            "complete_pixels_ms": seen.pixels_after(seen.event("complete")),
            **traffic,
            "scroll_ms": median(steps_ms),
            "scroll_worst_ms": max(steps_ms),
            **memory_metrics(page),
        }


def scroll(page: Page, frame_count: int) -> list[float]:
    """Ms from each notch of the wheel to the first change of the canvas."""
    middle = CANVAS_PX["series"] / 2
    page.mouse.move(middle, middle)
    page.evaluate("bench.start()")
    # The incumbent's volume starts in its middle: go no further than its end.
    steps = min(SCROLL_STEPS, frame_count // 2 - 1)
    for step in range(1, steps + 1):
        page.mouse.wheel(0, NOTCH_PX)
        count = "bench.marks.filter(({ name }) => name === 'scrolled').length"
        wait_for(page, f"{count} === {step}")
    marks = Observation.of(page).marks
    return [float(mark["detail"]) for mark in marks if mark["name"] == "scrolled"]


SERIES: Final = Scenario(
    "series",
    f"a series, engine warm, viewport {CANVAS_PX['series']} px",
    "series",
    "volume",
    (
        Metric(
            "first_pixels_ms",
            "first pixels on the canvas",
            floor_bytes=lambda target, _: target.level_ends[0][0],
        ),
        Metric(
            "every_frame_ms",
            "every slice shown at some level",
            floor_bytes=lambda target, _: target.first_level_bytes,
        ),
        Metric(
            "complete_event_ms",
            "complete, lossless, event",
            floor_bytes=lambda target, _: target.total_bytes,
        ),
        Metric(
            "complete_pixels_ms",
            "same, on the canvas",
            floor_bytes=lambda target, _: target.total_bytes,
        ),
        Metric("scroll_ms", "scroll, notch to canvas, median"),
        Metric("scroll_worst_ms", "same, worst"),
        *TRAFFIC,
        *MEMORY,
    ),
    measure,
)
