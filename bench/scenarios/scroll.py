"""Scrolling into what is not there yet, and dragging the cross of three planes."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from bench.browser import memory_metrics
from bench.metric import MEMORY, Metric, Scenario
from bench.scenarios.image import busy_ms_each
from bench.scenarios.series import scroll
from bench.setting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from bench.data import Target
    from bench.setting import Setting

PANES_PX: Final = (900, 700)
NEW_PICTURE: Final = (
    "bench.reads.some(({ picture }) => ![0, bench.reads[0].picture].includes(picture))"
)
DRAWN: Final = "performance.getEntriesByName('firstlight:volume-first-render')[0]"
DRAG_STEPS: Final = 40
DRAG_STEP_PX: Final = 2


def measure_unloaded(setting: Setting, target: Target) -> dict[str, float]:
    """The wheel turns as soon as there is a picture, while everything else is on its way."""
    with setting.server() as server, setting.page(target) as page:
        setting.warm_up(page, server, "volume")
        setting.open(page, target, "volume")
        wait_for(page, NEW_PICTURE)
        steps_ms = scroll(page, len(target.frame_bytes))
        return {"scroll_ms": median(steps_ms), "scroll_worst_ms": max(steps_ms)}


def measure_planes(setting: Setting, target: Target) -> dict[str, float]:
    """Axial, coronal, sagittal: from navigation to every slice, then a drag across one of them."""
    with (
        setting.server() as server,
        setting.chromium.page(setting.peer.scripts, PANES_PX) as page,
    ):
        page.goto(f"{server.url}{setting.peer.address(target, 'stack')}&layout=mpr")
        # The planes have canvases of their own, which nothing reads: their own word is taken.
        wait_for(page, f"{DRAWN} !== undefined")
        every_frame_ms = page.evaluate(f"{DRAWN}.startTime")
        wait_for(page, "bench.marked('complete') !== undefined")
        return {"every_frame_ms": every_frame_ms, "drag_ms": drag(page), **memory_metrics(page)}


def drag(page: Page) -> float:
    """Work of the page's thread for each step, in ms; the canvas is not read then."""
    x, y = PANES_PX[0] / 4, PANES_PX[1] / 2
    page.evaluate("bench.reading = false")
    page.mouse.move(x, y)
    page.mouse.down()

    def step(number: int) -> None:
        page.mouse.move(x + DRAG_STEP_PX * number, y + DRAG_STEP_PX * number)

    each_ms = busy_ms_each(page, DRAG_STEPS, step)
    page.mouse.up()
    page.evaluate("bench.reading = true")
    return each_ms


UNLOADED: Final = Scenario(
    "unloaded",
    "scroll through a series that is being loaded, engine warm",
    "series",
    "volume",
    (
        Metric("scroll_ms", "scroll, notch to canvas, median"),
        Metric("scroll_worst_ms", "same, worst"),
    ),
    measure_unloaded,
)
PLANES: Final = Scenario(
    "planes",
    f"three planes, cold start, window {PANES_PX[0]} x {PANES_PX[1]} px",
    "series",
    "volume",
    (
        Metric(
            "every_frame_ms",
            "navigation to every slice in the planes, event",
            floor_bytes=lambda target, _: target.first_level_bytes,
        ),
        Metric("drag_ms", "drag, page thread for each step"),
        *MEMORY,
    ),
    measure_planes,
    ours_only=True,
)
