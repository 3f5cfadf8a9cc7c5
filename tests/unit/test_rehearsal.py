"""Python's rehearsal is a real load, and gives way to real work."""

from __future__ import annotations

import asyncio

import pytest

from firstlight.adapters import rehearsal
from firstlight.adapters.rehearsal import FRAMES, rehearse


@pytest.fixture
def stages(monkeypatch) -> list:
    made = []

    class Noted(rehearsal._Stage):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(rehearsal, "_Stage", Noted)
    return made


def test_every_frame_is_loaded_to_its_end(stages) -> None:
    assert asyncio.run(rehearse(lambda: False, most_series=2)) in (1, 2)
    assert all(stage.lossless == FRAMES for stage in stages)


def test_nothing_of_it_goes_on_afterwards() -> None:
    async def scenario() -> set[asyncio.Task]:
        await rehearse(lambda: False, most_series=1)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scenario()) == set()


def test_it_stands_still_while_there_is_work(stages, monkeypatch) -> None:
    monkeypatch.setattr(rehearsal, "BUSY_WAIT_S", 0)
    checks = 0

    def is_busy() -> bool:
        nonlocal checks
        checks += 1
        return checks > 20

    async def scenario() -> None:
        task = asyncio.ensure_future(rehearse(is_busy, most_series=1))
        while checks < 60:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(scenario())
    assert stages[0].lossless < FRAMES
