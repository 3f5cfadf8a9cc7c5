"""What all tests share: the browser, and the real data where it is present."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bench.chromium import CHROMIUM_ARGUMENTS

ROOT = Path(__file__).resolve().parents[1]


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
        "args": CHROMIUM_ARGUMENTS,
    }


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real test files (shared/data beside the checkout) are not here")
    return folder


def pytest_collection_modifyitems(items):
    """Browser tests go last: Playwright leaves an event loop running in the thread of the tests.

    Of those the ones that are allowed more time than others go first: no process waits for them.
    """

    def starts_playwright(item):
        asked = "playwright" in getattr(item, "fixturenames", ())
        return asked or item.get_closest_marker("browser") is not None

    def is_long(item):
        return item.get_closest_marker("timeout") is not None

    items.sort(key=lambda item: (starts_playwright(item), not is_long(item)))
