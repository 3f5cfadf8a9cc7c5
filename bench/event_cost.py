"""What the scheduler costs for each event, by the number of frames; runs in the browser's Python.

    event_cost.py WORLD FRAMES...

WORLD is the source of tests/sim/world.py: a link and decoders on a virtual clock around the real
scheduler. A line of JSON for each number of frames goes to stdout.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path
from statistics import median, quantiles

SCROLLS = 40
"""Jumps through the series while it loads, the dearest demand there is."""

VIRTUAL_MS = 4000
"""How much of the load is played: 15 MB at 30 Mbit/s, in which everything happens that can."""


def load_world(path: str) -> types.ModuleType:
    """The simulated world, a test's module that is no part of the package."""
    module = types.ModuleType("world")
    sys.modules["world"] = module
    exec(compile(Path(path).read_text("utf-8"), path, "exec"), module.__dict__)
    return module


def measure(module: types.ModuleType, frame_count: int) -> dict[str, float]:
    """Ms for each event and for each jump, of one series that is loaded and scrolled through."""
    on = module.on
    frames = [module.CT_ENDS] * frame_count
    world = module.World(frames, heads=module.heads_of(frames))
    spent: dict[bool, list[float]] = {True: [], False: []}
    handle = world.scheduler.handle

    def timed(event: object, now_ms: float) -> object:
        before = time.perf_counter()
        commands = handle(event, now_ms)
        spent[isinstance(event, on.Demand)].append(1000 * (time.perf_counter() - before))
        world.scheduler.touched()
        return commands

    world.scheduler.handle = timed
    world.tell(on.Demand(visible=(0,)))
    first_ms = spent[True].pop()
    for step in range(1, SCROLLS + 1):
        frame = step * 7919 % frame_count  # a prime: everywhere, in no order
        world.at(step * VIRTUAL_MS / (SCROLLS + 1), on.Demand(visible=(frame,), direction=1))
    world.run(until_ms=VIRTUAL_MS)
    return {
        "frames": frame_count,
        "events": len(spent[False]),
        "event_median_ms": median(spent[False]),
        "event_p99_ms": quantiles(spent[False], n=100)[-1],
        "demand_first_ms": first_ms,
        "demand_median_ms": median(spent[True]),
    }


def main(world: str, *counts: str) -> None:
    module = load_world(world)
    for count in counts:
        print(json.dumps(measure(module, int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
