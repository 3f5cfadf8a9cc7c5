"""What `firstlight prepare` costs beside its encoder alone: processor time for each frame, in ms.

``.venv/bin/python -m bench.prepare_cost FOLDER_OR_FILE...``: in turns, in one process, the least of
several rounds. The tree is written to memory where there is /dev/shm: a file system that looks for
free inodes may cost as much as all else.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imagecodecs

from firstlight.prepare.dedicated import dedicate_process
from firstlight.prepare.find import find_files
from firstlight.prepare.header import bits_stored_of
from firstlight.prepare.htj2k import decomposition_levels
from firstlight.prepare.lines import encode_in_memory
from firstlight.prepare.opened import opened
from firstlight.prepare.recipe import Arrangement, Recipe, Representation
from firstlight.prepare.run import prepare
from firstlight.prepare.stored import stored_frames

if TYPE_CHECKING:
    from firstlight.prepare.stored import Pixels

ROUNDS: Final = 5
RECIPE: Final = Recipe(main=Representation(arrangement=Arrangement(precinct_px=128)))
MEMORY: Final = Path("/dev/shm")


class Silent:
    """Shows no progress."""

    def begin(self, frame_total: int) -> None:
        """Nothing."""

    def advance(self, frame_count: int, pixel_bytes: int) -> None:
        """Nothing."""


def by_ojph(values: Pixels, bits: int) -> bytes:
    """As `prepare` encodes, and nothing else."""
    return encode_in_memory(
        values,
        bits=bits,
        levels=decomposition_levels(*values.shape[:2]),
        arrangement=RECIPE.main.arrangement,
        colour_transform=False,
        step=None,
    )


def by_imagecodecs(values: Pixels, bits: int) -> bytes:
    """The other encoder, which has no precincts."""
    encoded = imagecodecs.htj2k_encode(
        values,
        reversible=True,
        bitspersample=bits,
        resolutions=decomposition_levels(*values.shape[:2]),
        prog_order="RPCL",
        tlm=True,
        tilepart="RESOLUTIONS",
    )
    return bytes(encoded)


def frames_of(path: str) -> list[tuple[Pixels, int]]:
    """Its frames, and Bits Stored."""
    with Path(path).open("rb") as stream, opened(stream, resource=path) as dataset:
        bits = bits_stored_of(dataset)
        return [(values, bits) for values in stored_frames(dataset, resource=path)]


def prepared_in(named: list[str]) -> float:
    """Processor time of the whole command, in seconds, into a tree that is then removed."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as out:
        before = time.process_time()
        summary = prepare(named, f"{out}/tree", RECIPE, progress=Silent())
        seconds = time.process_time() - before
    if summary.failures:
        raise SystemExit(f"not prepared: {summary.failures[0]}")
    return seconds


def main() -> None:
    """Print one line for each thing named."""
    dedicate_process()
    for name in sys.argv[1:]:
        frames = [frame for path in find_files([name])[0] for frame in frames_of(path)]
        spent: dict[str, list[float]] = defaultdict(list)
        for _ in range(ROUNDS):
            spent["prepare"].append(prepared_in([name]))
            for encode in (by_ojph, by_imagecodecs):
                before = time.process_time()
                encoded = [encode(*frame) for frame in frames]
                spent[encode.__name__].append(time.process_time() - before)
                before = time.process_time()
                for codestream in encoded:
                    imagecodecs.htj2k_decode(codestream)
                spent["decode"].append(time.process_time() - before)
        least = {kind: 1000 * min(times) / len(frames) for kind, times in spent.items()}
        whole, alone, decode = least["prepare"], least["by_ojph"], least["decode"]
        shown = ", ".join(f"{kind} {ms:.2f}" for kind, ms in least.items())
        print(f"{name}: {len(frames)} frames; ms each: {shown};", end=" ")
        print(f"encoder {alone / whole:.2f}, encoder and decoder {(alone + decode) / whole:.2f}")


if __name__ == "__main__":
    main()
