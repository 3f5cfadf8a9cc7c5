"""Which bytes a window of a level needs, against the packets that a walk finds."""

from __future__ import annotations

import struct
from functools import cache
from itertools import pairwise

import numpy as np
import openjpeg
import pytest

from firstlight.errors import FirstlightError, MalformedCodestream
from firstlight.j2k.index import read_index
from firstlight.j2k.markers import PLT, SOD, SOT_BYTES, read_main_header, split_segments
from firstlight.j2k.region import Box, RegionIndex, refusal
from firstlight.j2k.rewrite import rewrite
from unit.j2k_samples import ht, layered, part_1, picture, walk

pytest.importorskip("ojph", reason="needs an encoder of precincts")

from firstlight.prepare.lines import encode_in_memory
from firstlight.prepare.recipe import Arrangement

LEVELS = 4


@cache
def stream(
    height: int = 601,
    width: int = 800,
    *,
    precinct: int = 64,
    order: str = "RPCL",
    samples: int = 1,
    by_level: bool = True,
    step: float | None = None,
) -> bytes:
    encoded = encode_in_memory(
        picture(height, width, samples),
        bits=12 if samples == 1 else 8,
        levels=LEVELS,
        arrangement=Arrangement(progression=order, precinct_px=precinct),
        colour_transform=samples == 3,
        step=step,
    )
    return rewrite(encoded, tile_parts_by_resolution=by_level)


class Fed:
    """An index fed with all it wants, and how much that was."""

    def __init__(self, codestream: bytes, level: int = LEVELS, base_level: int = 0) -> None:
        self.index = RegionIndex(read_index(codestream).level_ends)
        self.reads: list[tuple[int, int]] = []
        while (wanted := self.index.missing(level, base_level)) is not None:
            self.reads.append((wanted.start, wanted.stop))
            self.index.feed(wanted.start, codestream[wanted.start : wanted.stop])


def windows(columns: int, rows: int) -> list[Box]:
    return [
        Box(0, 0, columns, rows),
        Box(0, 0, 1, 1),
        Box(columns - 1, rows - 1, columns, rows),
        Box(columns // 3, rows // 3, columns // 3 + columns // 4, rows // 3 + rows // 5),
        Box(64 % columns, 0, columns, (rows + 1) // 2),
    ]


KINDS = {
    "RPCL": {},
    "colour": {"samples": 3},
    "colour RLCP": {"samples": 3, "order": "RLCP"},
    "LRCP": {"order": "LRCP"},
    "one tile-part": {"by_level": False},
    "precincts 128": {"precinct": 128},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_runs_are_the_packets_of_the_block(kind: str) -> None:
    codestream = stream(**KINDS[kind])
    index = Fed(codestream).index
    found = walk(codestream)[0].packets
    for level in range(1, LEVELS + 1):
        for window in windows(*index.size(level)):
            for step in index.plan(window, level, 0).steps:
                runs = b"".join(codestream[run.start : run.stop] for run in step.runs)
                packets = [
                    codestream[start:stop]
                    for _, place, start, stop in found
                    if place.resolution.resolution_level == step.resolution_level
                    and lies_in(place, step.block)
                ]
                assert runs == b"".join(packets)
                assert all(a.stop < b.start for a, b in pairwise(step.runs))


def lies_in(place, block: Box) -> bool:
    down, across = divmod(place.precinct_index, place.resolution.precincts_across)
    width, height = place.resolution.precinct_exponents
    in_columns = block.left <= across << width < block.right
    return in_columns and block.top <= down << height < block.bottom


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_hold_what_their_boxes_depend_on(kind: str) -> None:
    index = Fed(stream(**KINDS[kind])).index
    side = KINDS[kind].get("precinct", 64)
    for window in windows(*index.size(LEVELS)):
        plan = index.plan(window, LEVELS, 0)
        assert [step.resolution_level for step in plan.steps] == [1, 2, 3, 4]
        assert plan.steps[-1].box == plan.box == window
        below = Box(0, 0, *index.size(0))
        for step in plan.steps:
            columns, rows = index.size(step.resolution_level)
            box, block = step.box, step.block
            assert block.left % side == block.top % side == 0
            assert block.right == columns or block.right % side == 0
            assert block.bottom == rows or block.bottom % side == 0
            # two samples of detail on each side, unless the image ends there
            assert block.left <= max(box.left - 2, 0)
            assert block.top <= max(box.top - 2, 0)
            assert block.right >= min(box.right + 1, columns)
            assert block.bottom >= min(box.bottom + 1, rows)
            # of each odd sample the even ones on both of its sides
            assert below.left <= box.left // 2
            assert below.top <= box.top // 2
            assert 2 * below.right > min(box.right, columns - 1)
            assert 2 * below.bottom > min(box.bottom, rows - 1)
            below = box


def test_a_window_takes_a_part_of_the_bytes() -> None:
    codestream = stream(1500, 1400)
    fed = Fed(codestream)
    plan = fed.index.plan(Box(600, 500, 900, 700), LEVELS, fed.index.base_level())
    taken = sum(extent.stop - extent.start for extent in plan.extents())
    assert taken < len(codestream) / 6
    assert sum(stop - start for start, stop in fed.reads) < len(codestream) / 50


def test_the_base_level_is_the_largest_of_few_samples() -> None:
    index = Fed(stream(1500, 1400)).index
    assert index.base_level() == 2
    assert index.size(2) == (350, 375)
    assert index.size(3)[0] * index.size(3)[1] > 1 << 18
    assert Fed(stream(300, 300)).index.base_level() == LEVELS


def test_the_base_level_of_16_bits_is_smaller() -> None:
    wide = encode_in_memory(
        picture(300, 300) << 4,
        bits=16,
        levels=LEVELS,
        arrangement=Arrangement(precinct_px=64),
        colour_transform=False,
        step=None,
    )
    index = Fed(rewrite(wide)).index
    assert index.size(index.base_level()) == (38, 38)
    assert all(step.header.wide for step in index.plan(Box(0, 0, 9, 9), LEVELS, 1).steps)


def test_only_headers_of_the_levels_above_the_base_are_read() -> None:
    codestream = stream(1500, 1400)
    ends = read_index(codestream).level_ends
    fed = Fed(codestream, LEVELS, 2)
    header_stop = read_main_header(codestream).header_stop
    assert [start for start, _ in fed.reads] == [0, header_stop, ends[1 + 1], ends[2 + 1]]
    with pytest.raises(ValueError, match="not known yet"):
        fed.index.plan(Box(0, 0, 9, 9), LEVELS, 0)
    assert fed.index.missing(LEVELS, 0) is not None
    assert fed.index.plan(Box(0, 0, 9, 9), 3, 2).steps
    assert not fed.index.plan(Box(0, 0, 9, 9), 2, 2).steps


def test_a_header_longer_than_expected_is_asked_for_again() -> None:
    codestream = stream(1500, 1400, precinct=32, by_level=False)
    fed = Fed(codestream)
    asked = [stop - start for start, stop in fed.reads]
    assert len(asked) == 3
    assert asked[2] > asked[1] == 4096
    assert fed.index.plan(Box(10, 10, 20, 20), LEVELS, 0).steps


@pytest.mark.parametrize(
    "window",
    [Box(0, 0, 801, 10), Box(5, 5, 5, 9), Box(-1, 0, 5, 5), Box(0, 9, 5, 5), Box(0, 0, 5, 602)],
)
def test_a_window_outside_of_its_level_is_refused(window: Box) -> None:
    with pytest.raises(ValueError, match=r"no (columns|rows)"):
        Fed(stream()).index.plan(window, LEVELS, 0)


REFUSED = {
    "the irreversible wavelet": lambda: stream(step=1 / 256),
    "code-blocks that are not all HT": lambda: part_1(200, 200),
    "several tiles": lambda: ht(300, 300, tile=(128, 128)),
    "precincts without end": lambda: ht(300, 300),
    "large precincts": lambda: stream(300, 300, precinct=8192),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_others_are_refused_with_a_reason(reason: str) -> None:
    codestream = REFUSED[reason]()
    assert refusal(read_main_header(codestream)) == reason
    fed = Fed(codestream)
    assert fed.index.refusal == reason
    assert fed.reads == [(0, min(4096, read_index(codestream).level_ends[-1]))]
    assert fed.index.missing(LEVELS, 0) is None
    with pytest.raises(ValueError, match=reason):
        fed.index.plan(Box(0, 0, 1, 1), 1, 0)


def patched(codestream: bytes, marker: bytes, offset: int, change: bytes) -> bytes:
    at = codestream.index(marker) + offset
    return codestream[:at] + change + codestream[at + len(change) :]


PATCHES = {
    "an offset": (b"\xff\x51", 14, struct.pack(">II", 1, 0)),
    "subsampling": (b"\xff\x51", 41, b"\x02\x02"),
    "several quality layers": (b"\xff\x52", 6, b"\0\2"),
    "a progression that is not by level": (b"\xff\x52", 5, b"\4"),
    "SOP or EPH": (b"\xff\x52", 4, b"\7"),
}


@pytest.mark.parametrize("reason", PATCHES)
def test_what_the_main_header_says_is_looked_at(reason: str) -> None:
    codestream = stream(300, 300)
    assert refusal(read_main_header(codestream)) is None
    assert refusal(read_main_header(patched(codestream, *PATCHES[reason]))) == reason


def test_without_plt_there_are_no_windows() -> None:
    bare = rewrite(stream(300, 300), plt=False)
    assert Fed(bare).index.refusal == "no PLT, or more than PLT in a tile-part header"


def test_part_1_with_layers_is_refused() -> None:
    assert Fed(layered()).index.refusal is not None


def test_plt_that_does_not_add_up_is_an_error() -> None:
    codestream = stream(300, 300)
    at = codestream.index(struct.pack(">H", PLT)) + 5
    wrong = codestream[:at] + bytes([codestream[at] ^ 1]) + codestream[at + 1 :]
    index = RegionIndex(read_index(codestream).level_ends)
    with pytest.raises(MalformedCodestream, match="PLT and the index disagree"):
        while (wanted := index.missing(LEVELS, 0)) is not None:
            index.feed(wanted.start, wrong[wanted.start : wanted.stop])
    assert index.missing(LEVELS, 0) is None
    assert index.refusal is not None


@pytest.mark.parametrize("length", [1, 40, 100, 200, 260, 5000])
def test_a_cut_codestream_is_an_error_and_no_endless_wish(length: int) -> None:
    codestream = stream(300, 300)
    ends = [min(end, length) for end in read_index(codestream).level_ends]
    index = RegionIndex(ends)
    with pytest.raises(MalformedCodestream):
        while (wanted := index.missing(LEVELS, 0)) is not None:
            index.feed(wanted.start, codestream[wanted.start : wanted.stop])
    assert index.missing(LEVELS, 0) is None


def test_bytes_that_do_not_come_are_an_error_and_no_endless_wish() -> None:
    index = RegionIndex(read_index(stream(300, 300)).level_ends)
    with pytest.raises(MalformedCodestream, match="does not end"):
        while (wanted := index.missing(LEVELS, 0)) is not None:
            index.feed(wanted.start, b"")


def test_an_index_that_goes_backwards_is_an_error() -> None:
    with pytest.raises(MalformedCodestream, match="backwards"):
        RegionIndex((100, 300, 200))


def test_damaged_headers_end_in_a_plan_a_refusal_or_an_error() -> None:
    codestream = stream(300, 300)
    ends = read_index(codestream).level_ends
    random = np.random.default_rng(3)
    outcomes = set()
    for _ in range(400):
        damaged = bytearray(codestream)
        for at in random.integers(2, 300, 3):
            damaged[at] = random.integers(0, 256)
        index, reads = RegionIndex(ends), 0
        try:
            while (wanted := index.missing(LEVELS, 0)) is not None:
                reads += 1
                assert reads < 40
                index.feed(wanted.start, bytes(damaged[wanted.start : wanted.stop]))
            outcomes.add("plan" if index.refusal is None else "refusal")
        except FirstlightError:
            outcomes.add("error")
            assert index.refusal is not None
    assert outcomes == {"plan", "refusal", "error"}


def test_a_header_is_that_of_a_small_codestream() -> None:
    index = Fed(stream(samples=3)).index
    plan = index.plan(Box(100, 100, 300, 200), LEVELS, 1)
    assert plan.colour_transform
    for step in plan.steps:
        header = read_main_header(step.header.plain)
        assert (header.siz.width, header.siz.height) == (step.block.columns, step.block.rows)
        assert header.decomposition_levels == 1
        assert [c.precision_bits for c in header.siz.components] == [16, 16, 16]
        assert not header.cod.multiple_component_transform
        tail = step.header.plain[header.header_stop :]
        markers = [marker for marker, _, _ in split_segments(tail, SOT_BYTES, SOD)]
        assert markers == [SOD]
        assert tail.endswith(b"\xff\x93\0\0\0")  # an empty packet for each component
    assert read_main_header(plan.base.header.plain + b"\xff\x90\0\x0a").decomposition_levels == 1


def test_openjpeg_reads_the_small_codestreams_too() -> None:
    codestream = stream()
    step = Fed(codestream).index.plan(Box(100, 100, 300, 200), LEVELS, 1).steps[-1]
    runs = b"".join(codestream[run.start : run.stop] for run in step.runs)
    small = step.header.plain + runs + b"\xff\xd9"
    detail = openjpeg.decode(small)
    assert detail.shape == (step.block.rows, step.block.columns)
    assert detail.any()
