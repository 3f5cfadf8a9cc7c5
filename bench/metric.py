"""What a scenario measures, and what the link alone would take for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.data import Target
    from bench.peers import Viewport
    from bench.setting import Setting


@dataclass(frozen=True)
class Metric:
    """One number of a scenario; smaller is better.

    ``floor_bytes`` says which bytes must have crossed the link for it, given what the run measured;
    None where the link does not matter.
    """

    key: str
    label: str
    unit: str = "ms"
    floor_bytes: Callable[[Target, dict[str, float]], float] | None = None


@dataclass(frozen=True)
class Scenario:
    """Metrics from one visit to one page."""

    name: str
    title: str
    target: str
    viewport: Viewport
    metrics: tuple[Metric, ...]
    measure: Callable[[Setting, Target], dict[str, float]]
    with_streaming: bool = False
    """Whether the incumbent's other configuration is measured too."""

    ours_only: bool = False
    """Whether the incumbent's page has nothing like it."""


TRAFFIC = (
    Metric("data_bytes", "image bytes and metadata", "B"),
    Metric("code_bytes", "code", "B"),
    Metric("requests", "requests", ""),
)
MEMORY = (
    Metric("renderer_mb", "memory of the page and its workers", "MB"),
    Metric("page_heap_mb", "of it JavaScript heap of the page's thread", "MB"),
    Metric("python_heap_mb", "of it Python's heap", "MB"),
    Metric("pixels_mb", "of it decoded pictures, as the library counts them", "MB"),
    Metric("gpu_process_mb", "memory of the GPU process", "MB"),
)
