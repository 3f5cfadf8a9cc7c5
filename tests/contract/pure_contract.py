"""What the pure part of the package does, as text: the same in CPython and in Pyodide.

Run with the codestream to index, in hexadecimal, as its argument; `world` is the simulation's.
"""

from __future__ import annotations

import json

from firstlight.errors import FirstlightError
from firstlight.j2k.index import IndexReader, read_index
from firstlight.ranges import ByteRange, coalesce
from firstlight.schedule import events as on
from firstlight.sources.descriptor import read_descriptor, write_descriptor


def schedules(world_module) -> list[object]:
    """A scroll through a series, with a broken connection on the way: every command and time."""
    ct, radiograph = world_module.CT_ENDS, world_module.RADIOGRAPH_ENDS
    world = world_module.World(
        [ct] * 20 + [radiograph], faults={3: (9000, world_module.short_body())}
    )
    for step in range(12):
        world.at(step * 15.0, on.Demand(visible=(step,), direction=1))
    world.at(900.0, on.Demand(visible=(20,), direction=1))
    world.run()
    world.tell(on.Retry(3))
    world.run()
    commands = [[round(time, 3), repr(command)] for time, command in world.log]
    shown = {frame: [level for _, level in seen] for frame, seen in world.shown.items()}
    return [commands, shown]


def indexes(codestream: bytes) -> list[object]:
    """The same index whole, and from pieces as small as they come."""
    whole = read_index(codestream)
    reader = IndexReader(len(codestream))
    fed = 0
    while (wanted := reader.wanted) is not None and wanted.stop is not None:
        reader.feed(wanted.start, codestream[wanted.start : wanted.stop])
        fed += wanted.stop - wanted.start
    assert reader.index == whole
    errors = []
    for cut in (0, 3, 40, 150):
        try:
            read_index(codestream[:cut])
        except FirstlightError as error:
            errors.append(type(error).__name__)
    return [whole.level_ends, whole.method, fed, errors]


def descriptors() -> str:
    text = json.dumps(
        {
            "firstlight": 1,
            "generator": "contract",
            "series": [
                {
                    "series_instance_uid": "1.2",
                    "image": {"rows": 4, "columns": 6, "windows": [{"center": 1, "width": 2}]},
                    "frames": [{"url": "a.jph", "length": 9, "level_ends": [3, 9]}],
                }
            ],
        }
    )
    return write_descriptor(read_descriptor(text))


def main(codestream: bytes, world_module) -> None:
    ranges = coalesce([ByteRange(5, 9), ByteRange(0, 4), ByteRange(20)], max_gap_bytes=1)
    record = [
        schedules(world_module),
        indexes(codestream),
        descriptors(),
        [str(extent) for extent in ranges],
    ]
    print(json.dumps(record, sort_keys=True))
