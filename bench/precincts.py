"""The table of precinct sizes in ``docs/prepare.md``, from the first frame of each file named.

``.venv/bin/python -m bench.precincts FILE...``; times are processor time, the least of several.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imagecodecs

from firstlight.j2k.index import read_index
from firstlight.j2k.markers import PLT, SOD, SOT_BYTES, read_main_header, split_segments
from firstlight.j2k.region import Box, RegionIndex
from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.header import bits_stored_of, uses_colour_transform
from firstlight.prepare.htj2k import decomposition_levels
from firstlight.prepare.lines import encode_in_memory
from firstlight.prepare.opened import opened
from firstlight.prepare.recipe import Arrangement, Representation
from firstlight.prepare.stored import stored_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.prepare.stored import Pixels

PRECINCTS_PX: Final = (0, 64, 128, 256, 512)
WINDOW_PX: Final = 512
ROUNDS: Final = 7


def least_ms(work: Callable[[], object]) -> float:
    """Processor time of the quickest of `ROUNDS`."""
    taken = []
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return 1000 * min(taken)


def packet_lengths(codestream: bytes) -> tuple[int, int]:
    """Size of all PLT segments, and how many packets they list."""
    position, plt_bytes, packets = read_main_header(codestream).header_stop, 0, 0
    starts = [position]
    for entry in read_main_header(codestream).tile_part_lengths:
        starts.append(starts[-1] + entry.length)
    for start, stop in pairwise(starts):
        part = codestream[start:stop]
        for marker, begin, end in split_segments(part, SOT_BYTES, SOD):
            if marker == PLT:
                plt_bytes += end - begin
                packets += sum(byte < 0x80 for byte in part[begin + 5 : end])
    return plt_bytes, packets


def window_bytes(codestream: bytes, below: int) -> int:
    """What the window in the middle costs, ``below`` levels under the full size, with headers."""
    ends = read_index(codestream).level_ends
    index, level = RegionIndex(ends), len(ends) - 1 - below
    while (wanted := index.missing(level, 0)) is not None:
        index.feed(wanted.start, codestream[wanted.start : wanted.stop])
    if index.refusal is not None:  # no precincts
        return ends[level]
    columns, rows = index.size(level)
    left, top = max(0, (columns - WINDOW_PX) // 2), max(0, (rows - WINDOW_PX) // 2)
    box = Box(left, top, min(left + WINDOW_PX, columns), min(top + WINDOW_PX, rows))
    plan = index.plan(box, level, min(level, index.base_level()))
    return sum(extent.length or 0 for extent in plan.extents())


def print_rows(name: str, values: Pixels, bits: int, *, colour_transform: bool) -> None:
    """The rows of one image."""
    levels, plain = decomposition_levels(*values.shape[:2]), 0
    for precinct_px in PRECINCTS_PX:

        def encode(precinct_px: int = precinct_px) -> bytes:
            return encode_in_memory(
                values,
                bits=bits,
                levels=levels,
                arrangement=Arrangement(precinct_px=precinct_px),
                colour_transform=colour_transform,
                step=None,
            )

        encoded = encode()
        codestream = rewrite(encoded)
        plain = plain or len(codestream)
        grown = f"{len(codestream):,}" if not precinct_px else f"{len(codestream) / plain - 1:+.2%}"
        ends = read_index(codestream).level_ends
        cells = [
            name if not precinct_px else "",
            str(precinct_px),
            grown,
            *(f"{number:,}" for number in packet_lengths(codestream)),
            f"{least_ms(encode):.1f} ms",
            f"{least_ms(lambda: rewrite(encoded)):.1f} ms",  # noqa: B023
            f"{least_ms(lambda: imagecodecs.htj2k_decode(codestream)):.1f} ms",  # noqa: B023
            *(f"{window_bytes(codestream, below):,}" for below in (0, 2)),
            ", ".join(f"{end:,}" for end in ends[:4]),
        ]
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Print the table."""
    form = Representation().form
    print("| image | `--precinct` | file | PLT | packets | encode | PLT made in | decode |", end="")
    print(f" window of {WINDOW_PX} x {WINDOW_PX} | the same at a quarter | first levels end |")
    print("|---" * 11 + "|")
    for path in sys.argv[1:]:
        with Path(path).open("rb") as stream, opened(stream, resource=path) as dataset:
            values = next(stored_frames(dataset, resource=path))
            name = f"{dataset.get('Modality', '')} {values.shape[1]} x {values.shape[0]}"
            transform = uses_colour_transform(dataset, form)
            print_rows(name, values, bits_stored_of(dataset), colour_transform=transform)


if __name__ == "__main__":
    main()
