"""One big image in a warm page; then a window/level drag on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.browser import memory_metrics
from bench.metric import MEMORY, TRAFFIC, Metric, Scenario
from bench.observation import Observation
from bench.setting import CANVAS_PX, wait_until_seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from bench.data import Target
    from bench.setting import Setting

SCREEN_LEVEL_PX: Final = 759
"""A quarter of 3036, the first level with more pixels than the viewport."""

DRAG_STEPS: Final = 40
DRAG_STEP_PX: Final = 3


def measure(setting: Setting, target: Target) -> dict[str, float]:
    with setting.server() as server, setting.page(target) as page:
        setting.warm_up(page, server, "stack")
        server.counts.clear()
        setting.open(page, target, "stack")
        wait_until_seen(page, "final")
        seen = Observation.of(page)
        traffic = server.counts.metrics()
        setting.wait_for_python(page)
        side_px = target.side_px
        first = seen.first_image(side_px)
        screen_level = seen.first_image(side_px, SCREEN_LEVEL_PX)
        return {
            "first_event_ms": first,
            "first_pixels_ms": seen.first_pixels(),
            "screen_level_event_ms": screen_level,
            "screen_level_pixels_ms": seen.pixels_after(screen_level),
            "final_event_ms": seen.event("final"),
            "final_pixels_ms": seen.pixels_after(seen.event("final")),
            **traffic,
            "drag_ms": drag_window(page),
            **memory_metrics(page),
        }


def drag_window(page: Page) -> float:
    """Work of the page's thread for each step of a drag, in ms; the canvas is not read then."""
    middle = CANVAS_PX["image"] / 2
    page.evaluate("bench.reading = false")
    page.mouse.move(middle, middle)
    page.mouse.down()

    def step(number: int) -> None:
        page.mouse.move(middle + DRAG_STEP_PX * number, middle + DRAG_STEP_PX * number)

    each_ms = busy_ms_each(page, DRAG_STEPS, step)
    page.mouse.up()
    page.evaluate("bench.reading = true")
    return each_ms


def busy_ms_each(page: Page, steps: int, act: Callable[[int], None]) -> float:
    """What the page's thread did meanwhile, in ms for each step."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def busy_ms() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        busy_s = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
        return 1000 * float(busy_s)

    before_ms = busy_ms()
    for number in range(1, steps + 1):
        act(number)
    return (busy_ms() - before_ms) / steps


IMAGE: Final = Scenario(
    "image",
    f"one image, engine warm, viewport {CANVAS_PX['image']} px",
    "image",
    "stack",
    (
        Metric(
            "first_event_ms",
            "first picture, image event",
            floor_bytes=lambda target, _: target.first_level_bytes,
        ),
        Metric(
            "first_pixels_ms",
            "first pixels on the canvas",
            floor_bytes=lambda target, _: target.first_level_bytes,
        ),
        Metric(
            "screen_level_event_ms",
            f"picture of {SCREEN_LEVEL_PX} px or more, image event",
            floor_bytes=lambda target, _: target.bytes_for(SCREEN_LEVEL_PX),
        ),
        Metric(
            "screen_level_pixels_ms",
            "same, on the canvas",
            floor_bytes=lambda target, _: target.bytes_for(SCREEN_LEVEL_PX),
        ),
        Metric(
            "final_event_ms",
            "final, lossless, image event",
            floor_bytes=lambda target, _: target.total_bytes,
        ),
        Metric(
            "final_pixels_ms",
            "same, on the canvas",
            floor_bytes=lambda target, _: target.total_bytes,
        ),
        Metric("drag_ms", "window/level drag, page thread for each step"),
        *TRAFFIC,
        *MEMORY,
    ),
    measure,
    with_streaming=True,
)
