"""The index reader: methods, what it asks for, and how much it learns from how little."""

from __future__ import annotations

import pytest

from firstlight.errors import MalformedCodestream
from firstlight.j2k.index import IndexReader, read_index
from firstlight.j2k.markers import read_main_header
from firstlight.j2k.rewrite import rewrite
from unit.j2k_samples import (
    ORDERS,
    expectations,
    fed_as_wanted,
    ht,
    layered,
    part_1,
    real_codestream,
    walk,
    without_plt,
    without_tile_part_counts,
    without_tlm,
)

SIZES = [(1, 1), (1, 300), (300, 1), (33, 33), (513, 511)]


def streams() -> dict[str, bytes]:
    """Sound codestreams of many kinds."""
    found = {f"{height}x{width}": ht(height, width) for height, width in SIZES}
    for order in ORDERS:
        found[order] = ht(200, 300, order=order, tlm=False, tile_parts=False)
        found[f"{order} rgb"] = ht(
            150, 100, samples=3, order=order, tlm=False, tile_parts=False, levels=3
        )
        found[f"{order} tiles"] = ht(
            150, 100, order=order, tile=(64, 64), tlm=False, tile_parts=False, levels=2
        )
    found["tiles"] = ht(150, 100, tile=(64, 64))
    found["part 1"] = part_1(200, 300)
    found["part 1 rgb"] = part_1(200, 300, samples=3)
    found["part 1 plt"] = part_1(200, 300, plt=True)
    found["layers"] = layered()
    return found


STREAMS = streams()


@pytest.mark.parametrize("name", STREAMS)
def test_every_packet_is_found_and_the_last_ends_its_tile_part(name: str):
    seen, walking = walk(STREAMS[name])
    assert walking.missing_packets == 0
    assert seen.last_stops == [part.stop for part in seen.parts]
    end = seen.parts[0].start
    for _, _, start, stop in seen.packets:
        assert end <= start < stop
        end = stop


@pytest.mark.parametrize("name", STREAMS)
def test_ends_are_those_of_the_last_packet_of_each_level(name: str):
    codestream = STREAMS[name]
    seen, _ = walk(codestream)
    ends = [0] * (read_main_header(codestream).decomposition_levels + 1)
    for _, place, _, stop in seen.packets:
        for level in range(place.resolution.resolution_level, len(ends)):
            ends[level] = max(ends[level], stop)
    index = read_index(codestream)
    assert index.complete
    assert list(index.level_ends) == ends


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("knows_length", [True, False])
def test_small_reads_give_the_same_as_the_whole(name: str, knows_length: bool):
    codestream = STREAMS[name]
    length = len(codestream) if knows_length else None
    reader, _ = fed_as_wanted(codestream, length=length)
    assert reader.index == read_index(codestream)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("samples", [1, 3])
def test_all_methods_agree(height: int, width: int, samples: int):
    with_all = rewrite(ht(height, width, samples=samples, tlm=False, tile_parts=False))
    by_chain = without_tlm(with_all)
    by_plt = without_tile_part_counts(by_chain)
    by_packets = without_plt(by_plt)
    indexes = [read_index(item) for item in (with_all, by_chain, by_plt, by_packets)]
    assert [index.method for index in indexes] == ["tlm", "tlm", "plt", "packets"]
    assert len({index.level_ends for index in indexes}) == 1


def test_first_wanted_is_a_small_prefix():
    wanted = IndexReader().wanted
    assert (wanted.start, wanted.stop) == (0, 4096)
    wanted = IndexReader(1000).wanted
    assert (wanted.start, wanted.stop) == (0, 1000)


def test_tlm_tells_all_ends_from_the_first_read():
    codestream = ht(513, 511)
    reader = IndexReader(len(codestream))
    reader.feed(0, codestream[:200])
    assert reader.wanted is None
    assert reader.index.complete
    assert reader.index.method == "tlm"


def test_packet_headers_are_read_without_their_bodies():
    codestream = ht(1500, 1500, tlm=False, tile_parts=False)
    reader, fed = fed_as_wanted(codestream, length=len(codestream))
    assert reader.index.complete
    assert len(fed) <= 8
    assert sum(fed) < len(codestream) / 50


def test_a_prefix_tells_the_levels_it_holds_and_the_next():
    codestream = ht(513, 511, tlm=False, tile_parts=False)
    ends = read_index(codestream).level_ends
    for level, end in enumerate(ends[:-1]):
        reader = IndexReader(len(codestream))
        reader.feed(0, codestream[: min(end + 1500, len(codestream))])
        known = reader.index.level_ends
        assert len(known) >= level + 2
        assert known == ends[: len(known)]


@pytest.mark.parametrize("chunk", [1, 7, 1000, 5000])
def test_any_pieces_in_order_will_do(chunk: int):
    codestream = ht(150, 100, samples=3, tlm=False, tile_parts=False, levels=3)
    reader = IndexReader()
    known = 0
    for start in range(0, len(codestream), chunk):
        reader.feed(start, codestream[start : start + chunk])
        if reader.index is not None:
            assert len(reader.index.level_ends) >= known
            known = len(reader.index.level_ends)
    assert reader.index == read_index(codestream)


def test_pieces_that_do_not_fit_are_dropped_and_overlapping_ones_joined():
    codestream = ht(150, 100, tlm=False, tile_parts=False, levels=3)
    reader = IndexReader(len(codestream))
    reader.feed(900, codestream[900:])
    assert reader.index is None
    reader.feed(0, codestream[:100])
    reader.feed(50, codestream[50:])
    reader.feed(50, codestream[50:])
    assert reader.index == read_index(codestream)


def test_a_last_tile_part_without_a_length_ends_with_its_last_packet():
    codestream = bytearray(ht(150, 100, tlm=False, tile_parts=False))
    at = read_main_header(bytes(codestream)).header_stop
    expected = read_index(bytes(codestream))
    codestream[at + 6 : at + 10] = bytes(4)
    assert read_index(bytes(codestream)) == expected
    assert fed_as_wanted(bytes(codestream))[0].index == expected


def test_tlm_that_is_wrong_is_not_believed():
    codestream = ht(150, 100)
    ends = read_index(codestream).level_ends
    entry = read_main_header(codestream).tile_part_lengths[0].length.to_bytes(4, "big")
    at = codestream.index(entry)
    wrong = codestream[:at] + (ends[1]).to_bytes(4, "big") + codestream[at + 4 :]
    assert read_index(wrong).level_ends == ends


def test_tile_parts_that_are_no_resolution_levels_are_not_taken_for_them():
    # As many tile-parts as levels, but the first holds two levels and the last is empty.
    codestream = ht(150, 100, levels=2)
    first, second, third = walk(codestream)[0].parts
    body = codestream[first.body_start : first.stop] + codestream[second.body_start : second.stop]
    rest = codestream[third.body_start : third.stop]

    def part(index: int, data: bytes) -> bytes:
        length = (14 + len(data)).to_bytes(4, "big")
        return b"\xff\x90\x00\x0a\x00\x00" + length + bytes([index, 3]) + b"\xff\x93" + data

    head = without_tlm(codestream)[: first.start]
    moved = head + part(0, body) + part(1, rest) + part(2, b"") + b"\xff\xd9"
    index = read_index(moved)
    assert index.method == "packets"
    ends = read_index(codestream).level_ends
    # Two tile-part headers of 14 bytes stood before these packets, and one stands there now.
    assert index.level_ends[0] == ends[0]
    assert index.level_ends[1] == ends[1] - 14


def test_what_cannot_be_read_grows_and_the_last_end_is_the_length(shared_data):
    for name in ("p0_03.j2k", "p1_02.j2k", "p1_06.j2k"):
        codestream = real_codestream(shared_data, f"iso15444-4/{name}")
        index = read_index(codestream)
        assert index.method == "growing"
        assert set(index.level_ends) == {len(codestream)}
        reader, _ = fed_as_wanted(codestream)
        assert reader.index.method == "growing"
        assert set(reader.index.level_ends) == {len(codestream) - 2}


def test_real_packets_are_found_to_the_byte(shared_data):
    walked = 0
    for name, entry in expectations(shared_data).items():
        if "CPRL33x33" in name:
            continue  # 1,650 tiles take a second and are like those of the file with LRCP33
        codestream = real_codestream(shared_data, name)
        if {"POC", "PPT"} & set(entry["cs"]["markers"]):
            with pytest.raises(MalformedCodestream, match=r"POC|packet headers"):
                walk(codestream)
            continue
        walked += 1
        seen, walking = walk(codestream)
        assert walking.missing_packets == 0, name
        assert seen.last_stops == [part.stop for part in seen.parts], name
        if entry.get("tile_part_ends"):
            assert [part.stop for part in seen.parts] == entry["tile_part_ends"][1:], name
    assert walked > 60


def test_tile_parts_of_public_htj2k_samples_are_their_levels(shared_data):
    found = 0
    for name, entry in expectations(shared_data).items():
        if not name.endswith("_JPH.dcm"):
            continue
        found += 1
        index = read_index(real_codestream(shared_data, name))
        assert index.method == "tlm"
        assert list(index.level_ends) == entry["tile_part_ends"][1:], name
    assert found >= 7


def test_a_cut_codestream_is_an_error_that_keeps_what_was_known():
    codestream = ht(513, 511, tlm=False, tile_parts=False)
    ends = read_index(codestream).level_ends
    cut = codestream[: ends[3] + 10]
    reader = IndexReader(len(cut), resource="cut.jph")
    with pytest.raises(MalformedCodestream, match="cut") as refused:
        reader.feed(0, cut)
    assert refused.value.resource == "cut.jph"
    assert reader.wanted is None
    assert reader.index.level_ends == ends[:4]


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\x4f", b"not a codestream at all"])
def test_what_is_no_codestream_is_refused(data: bytes):
    with pytest.raises(MalformedCodestream):
        read_index(data)
    reader = IndexReader()
    with pytest.raises(MalformedCodestream):
        for piece in (data, b""):
            reader.feed(0 if piece else len(data), piece)
