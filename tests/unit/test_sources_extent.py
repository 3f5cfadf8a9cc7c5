"""Between the bytes of a frame and those of its resource."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.ranges import ByteRange
from firstlight.sources.base import FrameExtent

FRAGMENTED = FrameExtent(
    "x",
    start=108,
    length=60,
    fragments=(ByteRange(108, 128), ByteRange(136, 166), ByteRange(174, 184)),
)
PLAIN = FrameExtent("x", start=100, length=50)
OPEN = FrameExtent("x", start=100)


@st.composite
def extents(draw):
    """Fragments with gaps, and the resource around them."""
    at, runs = draw(st.integers(0, 40)), []
    for size in draw(st.lists(st.integers(1, 30), min_size=1, max_size=6)):
        runs.append(ByteRange(at, at + size))
        at += size + draw(st.integers(0, 9))
    length = sum(run.length or 0 for run in runs)
    fragments = tuple(runs) if len(runs) > 1 else ()
    return FrameExtent("x", start=runs[0].start, length=length, fragments=fragments), runs


@given(extents(), st.integers(0, 200), st.integers(0, 200))
def test_pieces_are_the_bytes_of_the_frame(drawn, a, b):
    extent, runs = drawn
    frame = [offset for run in runs for offset in range(run.start, run.stop)]
    start, stop = sorted((min(a, len(frame)), min(b, len(frame))))
    pieces = extent.pieces(ByteRange(start, stop))
    assert [at for piece in pieces for at in range(piece.start, piece.stop)] == frame[start:stop]
    whole = extent.resource_range(ByteRange(start, stop))
    if start < stop:
        assert (whole.start, whole.stop) == (frame[start], frame[stop - 1] + 1)
    assert extent.frame_offset(whole.stop) == (stop if start < stop else start)


@given(extents(), st.integers(0, 300))
def test_frame_offset_counts_the_frame_bytes_before_a_place(drawn, place):
    extent, runs = drawn
    assert extent.frame_offset(place) == sum(
        at < place for run in runs for at in range(run.start, run.stop)
    )


@pytest.mark.parametrize("extent", [PLAIN, OPEN])
def test_without_fragments_a_shift_is_all(extent):
    assert extent.resource_offset(7) == 107
    assert extent.frame_offset(107) == 7
    assert extent.frame_offset(5) == 0
    assert extent.resource_range(ByteRange(7, 9)) == ByteRange(107, 109)


def test_an_open_range_ends_with_the_frame_where_that_is_known():
    assert PLAIN.resource_range(ByteRange(7)) == ByteRange(107, 150)
    assert OPEN.resource_range(ByteRange(7)) == ByteRange(107)
    assert OPEN.pieces(ByteRange(7)) == (ByteRange(107),)
    assert FRAGMENTED.resource_range(ByteRange(30)) == ByteRange(146, 184)


def test_the_end_of_a_fragment_needs_no_byte_of_the_next():
    assert FRAGMENTED.resource_range(ByteRange(0, 20)) == ByteRange(108, 128)
    assert FRAGMENTED.resource_range(ByteRange(0, 21)) == ByteRange(108, 137)
    assert FRAGMENTED.pieces(ByteRange(18, 22)) == (ByteRange(126, 128), ByteRange(136, 138))
