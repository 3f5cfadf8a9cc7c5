"""Frames of encapsulated Pixel Data: tables to be believed and not, fragments to be joined."""

from __future__ import annotations

import struct

import pytest

from firstlight.dicom.fragments import FragmentReader
from firstlight.dicom.frames import FramePlace, check_item
from firstlight.errors import NotDicom
from support.part10_bytes import (
    cut,
    encapsulated,
    extended,
    read,
    stream,
    table_of,
)


@pytest.mark.parametrize("end", [True, False], ids=["delimited", "without delimiter"])
def test_all_fragments_of_the_only_frame_are_joined(end):
    fragments = [stream(2000)[:1000], stream(2000)[1000:]]
    data = encapsulated(fragments, frames=1, end=end)
    (place,) = read(data)[0].frames
    assert cut(data, place) == b"".join(fragments)


def test_one_fragment_a_frame_without_a_table():
    streams = [stream(300 + 2 * i) for i in range(40)]
    data = encapsulated(streams, frames=40)
    index, reads, _ = read(data)
    assert [cut(data, place) for place in index.frames] == streams
    assert reads <= 2


def test_more_fragments_than_frames_are_told_apart_by_their_ends():
    streams = [stream(20_000), stream(30_001), stream(8)]
    fragments = [streams[0][:8000], streams[0][8000:], streams[1][:9998], streams[1][9998:]]
    data = encapsulated([*fragments, streams[2]], frames=3)
    index, _, _ = read(data)
    assert [cut(data, place).rstrip(b"\0") for place in index.frames] == streams


def test_fragments_that_cannot_be_told_apart_are_refused():
    pieces = [bytes(100), bytes(100), bytes(100)]
    with pytest.raises(NotDicom, match="3 fragments for 2 frames"):
        read(encapsulated(pieces, frames=2))
    with pytest.raises(NotDicom, match="3 fragments for 4 frames"):
        read(encapsulated(pieces, frames=4))


def test_a_basic_offset_table_spares_the_walk_but_is_not_taken_for_more_than_it_says():
    streams = [stream(20_000 + 2 * i) for i in range(100)]
    data = encapsulated(streams, frames=100, table=table_of(streams))
    index, reads, _ = read(data)
    assert reads <= 4
    assert [cut(data, place) for place in index.frames] == streams
    middle, last = index.frames[50], index.frames[-1]
    assert (middle.item_checked, last.item_checked, index.frames[0].item_checked) == (
        False,
        True,
        True,
    )
    assert check_item(middle, data[middle.start - 8 : middle.start])
    assert not check_item(FramePlace(0, middle.length + 8), data[middle.start - 8 : middle.start])
    with pytest.raises(NotDicom):
        check_item(middle, data[middle.start : middle.start + 8])


def test_frames_of_several_fragments_under_a_basic_table():
    streams = [stream(4000), stream(6000)]
    halves = [half for one in streams for half in (one[:2000], one[2000:])]
    table = struct.pack("<2I", 0, 16 + len(streams[0]))
    data = encapsulated(halves, frames=2, table=table)
    assert [cut(data, place) for place in read(data)[0].frames] == streams


@pytest.mark.parametrize("entries", [(4, 8, 12), (0, 9, 5), (0, 8), (0, 1 << 31, (1 << 31) + 99)])
def test_a_wrong_basic_table_is_not_believed(entries):
    streams = [stream(300), stream(400), stream(500)]
    data = encapsulated(streams, frames=3, table=struct.pack(f"<{len(entries)}I", *entries))
    assert [cut(data, place) for place in read(data)[0].frames] == streams


def test_an_extended_offset_table_tells_all_and_odd_lengths_too():
    streams = [stream(20_001 + i) for i in range(50)]
    offsets = list(struct.unpack("<50I", table_of(streams)))
    index, reads, _ = read(data := extended(streams, offsets))
    assert reads == 1
    assert [cut(data, place) for place in index.frames] == streams
    assert len(index.header) < 400


@pytest.mark.parametrize("wrong", [1 << 60, 5])
def test_a_wrong_extended_table_is_not_believed(wrong):
    streams = [stream(300), stream(400), stream(500)]
    data = extended(streams, [0, wrong, wrong + 400])
    found = [cut(data, place).rstrip(b"\0") for place in read(data)[0].frames]
    assert found == streams


def several_a_frame(sizes: list[list[int]]) -> tuple[bytes, list[bytes]]:
    """A file whose Basic Offset Table is right and whose frames have so many fragments."""
    streams = [stream(sum(pieces) - 6) for pieces in sizes]
    fragments, table, at = [], [], 0
    for one, pieces in zip(streams, sizes, strict=True):
        table.append(at)
        start = 0
        for size in pieces:
            fragments.append(one[start : start + size])
            start += size
            at += 8 + size
    entries = struct.pack(f"<{len(table)}I", *table)
    return encapsulated(fragments, frames=len(sizes), table=entries), streams


def test_a_frame_that_turns_out_to_have_several_fragments():
    data, streams = several_a_frame([[20_000], [9000, 12_000, 50], [20_000]])
    place = read(data)[0].frames[1]
    assert not place.item_checked
    assert not check_item(place, data[place.start - 8 : place.start])
    reader = FragmentReader(place)
    while (wanted := reader.wanted) is not None:
        reader.feed(wanted.start, data[wanted.start : wanted.stop])
    assert cut(data, reader.place) == streams[1]
    assert reader.place.item_checked


def test_fragments_that_run_over_into_the_next_frame_are_refused():
    data, _ = several_a_frame([[20_000], [9000, 12_000], [20_000]])
    place = read(data)[0].frames[1]
    reader = FragmentReader(FramePlace(place.start, place.length - 2))
    with pytest.raises(NotDicom, match="do not end"):
        while (wanted := reader.wanted) is not None:
            reader.feed(wanted.start, data[wanted.start : wanted.stop])
