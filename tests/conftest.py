"""What all tests share: the browser, and the real data where it is present."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Chromium as Debian packages it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return {
        **browser_type_launch_args,
        "executable_path": found,
        "headless": True,
        "args": CHROMIUM_ARGS,
    }


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real test files (shared/data beside the checkout) are not here")
    return folder


def pytest_collection_modifyitems(items):
    """Browser tests go last: Playwright leaves an event loop running in the thread of the tests."""

    def starts_playwright(item):
        asked = "playwright" in getattr(item, "fixturenames", ())
        return asked or item.get_closest_marker("browser") is not None

    items.sort(key=starts_playwright)
