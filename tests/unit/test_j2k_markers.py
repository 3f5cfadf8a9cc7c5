"""Headers of codestreams."""

from __future__ import annotations

import struct

import pytest

from firstlight.errors import MalformedCodestream
from firstlight.j2k.markers import (
    NeedMore,
    codestream_start,
    read_main_header,
    read_tile_part_header,
)
from unit.j2k_samples import expectations, ht, part_1, picture, real_codestream


def test_says_what_the_encoder_was_told():
    header = read_main_header(ht(100, 150, samples=3, levels=4, tile=(64, 32)))
    siz, cod = header.siz, header.cod
    assert (siz.width, siz.height) == (150, 100)
    assert siz.tile_count == len({siz.tile_bounds(i) for i in range(siz.tile_count)})
    assert {siz.tile_width, siz.tile_height} == {64, 32}
    assert [(c.precision_bits, c.is_signed) for c in siz.components] == [(8, False)] * 3
    assert (cod.progression_order, cod.layers, cod.decomposition_levels) == ("RPCL", 1, 4)
    assert cod.multiple_component_transform
    assert cod.reversible
    assert header.is_high_throughput
    assert header.decomposition_levels == 4


def test_tile_part_lengths_reach_from_the_header_to_the_end():
    codestream = ht(200, 300)
    header = read_main_header(codestream)
    assert len(header.tile_part_lengths) == 6
    total = header.header_stop + sum(entry.length for entry in header.tile_part_lengths)
    assert codestream[total:] == b"\xff\xd9"


def test_tlm_segments_count_by_their_number_in_every_form():
    codestream = ht(64, 64, levels=1, tlm=False)
    stop = read_main_header(codestream).header_stop
    second = struct.pack(">HHBB BH BH", 0xFF55, 10, 1, 0x10, 3, 500, 0, 501)
    first = struct.pack(">HHBB HI", 0xFF55, 10, 0, 0x60, 2, 70000)
    header = read_main_header(codestream[:stop] + second + first + codestream[stop:])
    listed = [(entry.tile_index, entry.length) for entry in header.tile_part_lengths]
    assert listed == [(2, 70000), (3, 500), (0, 501)]
    numberless = struct.pack(">HHBB HH", 0xFF55, 8, 0, 0x00, 40, 41)
    header = read_main_header(codestream[:stop] + numberless + codestream[stop:])
    listed = [(entry.tile_index, entry.length) for entry in header.tile_part_lengths]
    assert listed == [(0, 40), (1, 41)]


def test_a_prefix_says_how_much_more_it_needs():
    codestream = ht(64, 64)
    stop = read_main_header(codestream).header_stop
    for length in range(stop + 2):
        with pytest.raises(NeedMore) as short:
            read_main_header(codestream[:length])
        assert length < short.value.stop <= stop + 2 + 2
    assert read_main_header(codestream[: stop + 2]).header_stop == stop


def test_following_what_it_needs_reads_the_header():
    codestream = ht(64, 64)
    stop = 0
    while True:
        try:
            header = read_main_header(codestream[:stop])
            break
        except NeedMore as short:
            assert short.stop > stop
            stop = short.stop
    assert header == read_main_header(codestream)


def test_tile_part_headers_chain_to_the_end():
    codestream = part_1(120, 200, plt=True)
    header = read_main_header(codestream)
    part = read_tile_part_header(codestream[header.header_stop :], header.header_stop, header)
    assert part.packet_lengths is not None
    assert part.body_start + sum(part.packet_lengths) == part.stop == len(codestream) - 2


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (0, b"\x00", "SOC"),
        (8, b"\x00\x00\x00\x00", "empty image"),
        (24, b"\x00\x00\x00\x00", "empty tiles"),
        (24, b"\x00\x00\x00\x01\x00\x00\x00\x01", "tiles"),
        (40, b"\x00\x09", "SIZ with 9 components"),
        (43, b"\x00", "without samples"),
    ],
)
def test_contradictions_in_siz_are_named(offset: int, value: bytes, reason: str):
    codestream = bytearray(ht(300, 300))
    codestream[offset : offset + len(value)] = value
    with pytest.raises(MalformedCodestream, match=reason) as refused:
        read_main_header(bytes(codestream), resource="image1.jph")
    assert refused.value.resource == "image1.jph"


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (5, 9, "progression order 9"),
        (9, 99, "99 decomposition levels"),
        (10, 15, "code-blocks"),
        (4, 1, "precinct sizes are missing"),
    ],
)
def test_contradictions_in_cod_are_named(offset: int, value: int, reason: str):
    codestream = bytearray(ht(64, 64))
    codestream[codestream.index(b"\xff\x52") + offset] = value
    with pytest.raises(MalformedCodestream, match=reason):
        read_main_header(bytes(codestream))


def test_finds_the_codestream_in_a_jp2_file():
    codestream = part_1(32, 32)
    signature = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
    file_type = struct.pack(">I4s4sI4s", 20, b"ftyp", b"jp2 ", 0, b"jp2 ")
    for head in (struct.pack(">I4s", 0, b"jp2c"), struct.pack(">I4sQ", 1, b"jp2c", 999)):
        data = signature + file_type + head + codestream
        start = codestream_start(data)
        assert data[start:] == codestream
        for length in range(2, start):
            with pytest.raises(NeedMore) as short:
                codestream_start(data[:length])
            assert short.value.stop > length
    assert codestream_start(codestream) == 0
    with pytest.raises(MalformedCodestream):
        codestream_start(b"DICM and nothing else")
    with pytest.raises(MalformedCodestream):
        codestream_start(signature + struct.pack(">I4s8x", 0, b"free"))


def test_real_headers_say_what_is_expected_of_them(shared_data):
    for name, entry in expectations(shared_data).items():
        expected = entry["cs"]
        header = read_main_header(real_codestream(shared_data, name))
        siz, cod = header.siz, header.cod
        assert (siz.width, siz.height) == (expected["w"], expected["h"]), name
        assert [siz.tile_width, siz.tile_height] == expected["tile"], name
        assert siz.tile_count == expected["tiles"], name
        assert [c.precision_bits for c in siz.components] == expected["prec"], name
        assert [int(c.is_signed) for c in siz.components] == expected["signed"], name
        sampling = [[c.subsampling_x, c.subsampling_y] for c in siz.components]
        assert sampling == expected["sub"], name
        assert cod.progression_order == expected["prog"], name
        assert cod.layers == expected["layers"], name
        assert cod.decomposition_levels == expected["levels"], name
        assert cod.code_block_style == int(expected["cblkstyle"], 16), name
        assert cod.reversible == expected["rev"], name
        ends = entry.get("tile_part_ends")
        # The list of two files was made from bytes that are not their tile-parts.
        if ends and ends[-1] <= expected["len"]:
            assert header.header_stop == ends[0], name


def test_pictures_are_what_the_samples_promise():
    assert picture(5, 7).shape == (5, 7)
    assert picture(5, 7, 3).shape == (5, 7, 3)
