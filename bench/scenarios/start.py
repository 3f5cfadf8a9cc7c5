"""From navigation: with empty caches, and with what earlier visits have left."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bench.browser import Requests
from bench.link import BenchServer
from bench.metric import TRAFFIC, Metric, Scenario
from bench.observation import Observation
from bench.setting import wait_for, wait_until_seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from bench.data import Target
    from bench.setting import Setting

    Visit = Callable[[Setting, BenchServer, Page, Target], dict[str, float]]

FILL_VISITS: Final = 2
"""The first fills the HTTP cache; only the second lets V8 keep compiled code for the next."""


def measure_cold(setting: Setting, target: Target) -> dict[str, float]:
    with setting.server() as server, setting.page(target) as page:
        return _visit(setting, server, page, target)


def measure_warm(setting: Setting, target: Target) -> dict[str, float]:
    return _third_visit(setting, target, _visit)


def _third_visit(setting: Setting, target: Target, visit: Visit) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder)
        with BenchServer(setting.data, setting.peer.page_folder, "local") as server:
            port = urlsplit(server.url).port or 0
            for _ in range(FILL_VISITS):
                with setting.page(target, profile) as page:
                    visit(setting, server, page, target)
                    setting.wait_until_kept(page)
        # The same address, or the caches would know nothing of it.
        with setting.server(port) as server, setting.page(target, profile) as page:
            return visit(setting, server, page, target)


def _visit(setting: Setting, server: BenchServer, page: Page, target: Target) -> dict[str, float]:
    requests = Requests(page)
    setting.navigate(page, server, target, "stack")
    wait_until_seen(page, "final")
    if setting.peer.is_firstlight:
        wait_for(page, "bench.marked('ready') !== undefined")
    seen = Observation.of(page)
    first = seen.first_pixels()
    metrics = {
        "first_pixels_ms": first,
        "code_before_first_bytes": requests.code_bytes_until(seen.epoch_ms(first)),
        "final_pixels_ms": seen.pixels_after(seen.event("final")),
        **server.counts.metrics(),
    }
    if setting.peer.is_firstlight:
        metrics["python_ready_ms"] = seen.event("ready")
    return metrics


def measure_python(setting: Setting, target: Target) -> dict[str, float]:
    """Both starts, where the images are too small to be in Python's way."""
    with setting.server() as server, setting.page(target) as page:
        cold = _python_visit(setting, server, page, target)
    warm = _third_visit(setting, target, _python_visit)
    return {"cold_ready_ms": cold["ready_ms"], "warm_ready_ms": warm["ready_ms"]}


def _python_visit(
    setting: Setting, server: BenchServer, page: Page, target: Target
) -> dict[str, float]:
    setting.navigate(page, server, target, "stack")
    wait_until_seen(page, "complete")
    wait_for(page, "bench.marked('ready') !== undefined")
    return {"ready_ms": Observation.of(page).event("ready")}


def measure_cold_series(setting: Setting, target: Target) -> dict[str, float]:
    with setting.server() as server, setting.page(target) as page:
        requests = Requests(page)
        setting.navigate(page, server, target, "volume")
        wait_until_seen(page, "every-frame")
        seen = Observation.of(page)
        first = seen.first_pixels()
        return {
            "first_pixels_ms": first,
            "code_before_first_bytes": requests.code_bytes_until(seen.epoch_ms(first)),
            "every_frame_ms": seen.pixels_after(seen.event("every-frame")),
        }


_FIRST: Final = (
    Metric(
        "first_pixels_ms",
        "navigation to first pixels",
        floor_bytes=lambda target, run: run["code_before_first_bytes"] + target.level_ends[0][0],
    ),
    Metric("code_before_first_bytes", "code until then", "B"),
)
_IMAGE: Final = (
    *_FIRST,
    Metric("python_ready_ms", "navigation to Python ready"),
    Metric(
        "final_pixels_ms",
        "navigation to lossless on the canvas",
        floor_bytes=lambda target, run: run["code_before_first_bytes"] + target.total_bytes,
    ),
    *TRAFFIC,
)
COLD: Final = Scenario(
    "cold", "one image, cold start: empty caches", "image", "stack", _IMAGE, measure_cold
)
WARM: Final = Scenario(
    "warm", "one image, warm start: visited before", "image", "stack", _IMAGE, measure_warm
)
COLD_SERIES: Final = Scenario(
    "cold-series",
    "a series, cold start: empty caches",
    "series",
    "volume",
    (
        *_FIRST,
        Metric(
            "every_frame_ms",
            "navigation to every slice shown at some level",
            floor_bytes=lambda target, run: (
                run["code_before_first_bytes"] + target.first_level_bytes
            ),
        ),
    ),
    measure_cold_series,
)
PYTHON: Final = Scenario(
    "python",
    "Python alone: four slices, from navigation",
    "warmup",
    "stack",
    (
        Metric("cold_ready_ms", "cold start to Python ready"),
        Metric("warm_ready_ms", "warm start to Python ready"),
    ),
    measure_python,
    ours_only=True,
)
