"""Chromium as both peers get it, and what can be asked of it from outside the page."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from bench.chromium import CHROMIUM_ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright._impl._api_structures import ResourceTiming
    from playwright.sync_api import Browser, BrowserContext, Page, Request

# performance.memory in bytes, not in steps
ARGUMENTS: Final = (*CHROMIUM_ARGUMENTS, "--enable-precise-memory-info")
WAIT_MS: Final = 300_000

QUIET_SHARE: Final = 0.1
"""Of one core: what a browser that does nothing may still use."""

QUIET_LOOKS: Final = 3
LOOK_MS: Final = 150
START_S: Final = 30
"""After so long the browser counts as started, quiet or not."""


class Chromium:
    """The browser that every measurement starts anew; used as a context manager."""

    def __enter__(self) -> Chromium:
        self._playwright = sync_playwright().start()
        return self

    def __exit__(self, *_: object) -> None:
        self._playwright.stop()

    @contextmanager
    def page(
        self, scripts: list[Path], window: tuple[int, int], profile: Path | None = None
    ) -> Iterator[Page]:
        """A page in a new browser, with empty caches unless there is a ``profile``."""
        with tempfile.TemporaryDirectory() as empty:
            context = self._launch(profile or Path(empty), window)
            try:
                for script in scripts:
                    context.add_init_script(path=script)
                page = context.pages[0]
                page.set_default_timeout(WAIT_MS)
                _wait_until_quiet(page)
                yield page
            finally:
                context.close()

    def _launch(self, profile: Path, window: tuple[int, int]) -> BrowserContext:
        return self._playwright.chromium.launch_persistent_context(
            profile,
            executable_path=which("chromium"),
            headless=True,
            args=list(ARGUMENTS),
            viewport={"width": window[0], "height": window[1]},
            device_scale_factor=1,
        )

    @property
    def version(self) -> str:
        browser: Browser = self._playwright.chromium.launch(executable_path=which("chromium"))
        try:
            return browser.version
        finally:
            browser.close()


def _wait_until_quiet(page: Page) -> None:
    """Let the browser finish its own start, which keeps a core busy for two seconds."""
    if (browser := page.context.browser) is None:
        return
    session = browser.new_browser_cdp_session()

    def busy_s() -> float:
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(float(process["cpuTime"]) for process in found)

    started_s, before_s, quiet = time.monotonic(), busy_s(), 0
    while quiet < QUIET_LOOKS and time.monotonic() - started_s < START_S:
        page.wait_for_timeout(LOOK_MS)
        now_s = busy_s()
        quiet = quiet + 1 if now_s - before_s <= QUIET_SHARE * LOOK_MS / 1000 else 0
        before_s = now_s
    session.detach()


class Requests:
    """What a page and its workers have fetched, as the browser saw it."""

    def __init__(self, page: Page) -> None:
        self._finished: list[Request] = []
        page.context.on("requestfinished", lambda request: self._finished.append(request))

    def code_bytes_until(self, epoch_ms: float) -> float:
        """Bytes received by then of everything but image data.

        Of an answer under way the share of its time that was over. What the cache gave is nothing.
        """
        return sum(
            _share_until(request.timing, epoch_ms) * max(0, request.sizes()["responseBodySize"])
            for request in self._finished
            if "/data/" not in request.url
        )


def _share_until(timing: ResourceTiming, epoch_ms: float) -> float:
    opened_ms = timing["startTime"] + timing["responseStart"]
    closed_ms = timing["startTime"] + timing["responseEnd"]
    if timing["responseStart"] < 0 or opened_ms >= epoch_ms:
        return 0
    return min(1.0, (epoch_ms - opened_ms) / max(closed_ms - opened_ms, 0.001))


def memory_metrics(page: Page) -> dict[str, float]:
    """Memory of the page, as it says itself and as the system sees it, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap_bytes = page.evaluate("performance.memory.usedJSHeapSize")
    metrics = {"page_heap_mb": heap_bytes / 1e6, **page.evaluate("bench.memory()")}
    browser = page.context.browser
    if browser is not None:
        found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
        for kind, name in (("renderer", "renderer_mb"), ("GPU", "gpu_process_mb")):
            metrics[name] = sum(
                _proportional_mb(process["id"])
                for process in found["processInfo"]
                if process["type"] == kind
            )
    return metrics


def _proportional_mb(process_id: int) -> float:
    """PSS of a process; 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1e3 if found else 0.0
