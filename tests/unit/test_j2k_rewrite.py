"""The lossless rewrite: same packets, same picture, better arranged."""

from __future__ import annotations

import imagecodecs
import numpy as np
import openjpeg
import pytest

from firstlight.errors import MalformedCodestream
from firstlight.j2k.index import read_index
from firstlight.j2k.markers import TLM, read_main_header
from firstlight.j2k.quick import quick_packets
from firstlight.j2k.rewrite import rewrite
from firstlight.prepare.lines import encode_in_memory
from firstlight.prepare.recipe import Arrangement
from unit.j2k_samples import (
    ORDERS,
    PLT,
    expectations,
    ht,
    layered,
    part_1,
    picture,
    real_codestream,
    tile_parts,
    walk,
)

HIGH_THROUGHPUT = {
    "1x1": (1, 1, {}),
    "300x1": (300, 1, {}),
    "513x511": (513, 511, {}),
    "already arranged": (513, 511, {"tlm": True, "tile_parts": True}),
    "tiles": (150, 100, {"tile": (64, 64), "levels": 3}),
    "RLCP": (150, 100, {"order": "RLCP"}),
    "LRCP": (150, 100, {"order": "LRCP"}),
    "colour": (100, 150, {"samples": 3}),
}


def packets_of(codestream: bytes) -> dict[int, list[bytes]]:
    """Packets of each tile in order."""
    found: dict[int, list[bytes]] = {}
    for tile_index, _, start, stop in walk(codestream)[0].packets:
        found.setdefault(tile_index, []).append(codestream[start:stop])
    return found


@pytest.mark.parametrize("name", HIGH_THROUGHPUT)
def test_the_picture_and_the_packets_stay(name: str):
    height, width, options = HIGH_THROUGHPUT[name]
    codestream = ht(height, width, **{"tlm": False, "tile_parts": False, **options})
    written = rewrite(codestream)
    samples = options.get("samples", 1)
    assert np.array_equal(imagecodecs.htj2k_decode(written), picture(height, width, samples))
    assert packets_of(written) == packets_of(codestream)
    levels = read_main_header(codestream).decomposition_levels
    parts = tile_parts(written)
    tiles = read_main_header(codestream).siz.tile_count
    assert [part.tile_part_index for part in parts] == [
        level for level in range(levels + 1) for _ in range(tiles)
    ]
    assert {part.tile_part_count for part in parts} == {levels + 1}
    for part in parts:
        assert part.body_start + sum(part.packet_lengths or ()) == part.stop
    index = read_index(written)
    assert (index.method, index.complete) == ("tlm", True)


QUICK = {
    "one code-block a sub-band": (700, 900, 1, 128),
    "narrow": (1500, 3, 1, 128),
    "colour": (300, 301, 3, 128),
    "several code-blocks": (700, 500, 1, 256),
    "no precincts": (300, 300, 1, 0),
}


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("kind", ["smooth", "noise", "dots", "zeros"])
def test_quickly_found_packets_are_those_of_the_walk(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("ojph", reason="precincts need the package ojph")
    height, width, samples, precinct_px = QUICK[name]
    shape = (height, width) if samples == 1 else (height, width, samples)
    random = np.random.default_rng(5)
    values = {
        "smooth": np.cumsum(random.integers(-1, 2, shape), axis=0) + 2000,
        "noise": random.integers(0, 4096, shape),
        "dots": (random.random(shape) > 0.9999) * 4095,
        "zeros": np.zeros(shape),
    }[kind]
    codestream = encode_in_memory(
        values.astype(np.uint16),
        bits=12,
        levels=4,
        arrangement=Arrangement(precinct_px=precinct_px),
        colour_transform=samples == 3,
        step=None,
    )
    assert quick_packets(codestream, read_main_header(codestream)) is not None
    written = rewrite(codestream)
    broken = [codestream[:stop] for stop in range(120, len(codestream), len(codestream) // 5)]
    for cut in broken:
        assert quick_packets(cut, read_main_header(codestream)) is None
    monkeypatch.setattr("firstlight.j2k.rewrite.quick_packets", lambda *_: None)
    assert rewrite(codestream) == written


@pytest.mark.parametrize("samples", [1, 3])
def test_part_1_streams_can_be_rewritten(samples: int):
    codestream = part_1(120, 200, samples=samples)
    written = rewrite(codestream)
    assert np.array_equal(openjpeg.decode(written), openjpeg.decode(codestream))
    assert read_index(written).method == "tlm"


def test_low_levels_of_all_tiles_come_first():
    codestream = ht(300, 300, tile=(100, 100), levels=3)
    before, after = read_index(codestream), read_index(rewrite(codestream))
    assert before.level_ends[0] > len(codestream) * 0.8
    assert after.level_ends[0] < len(codestream) * 0.1


def test_every_part_of_it_can_be_left_out():
    codestream = ht(150, 100)
    bare = rewrite(codestream, plt=False, tlm=False, tile_parts_by_resolution=False)
    assert len(tile_parts(bare)) == 1
    assert TLM not in read_main_header(bare).markers
    assert PLT not in bare[: tile_parts(bare)[0].body_start]
    assert read_index(bare).method == "packets"
    with_plt = rewrite(codestream, tlm=False, tile_parts_by_resolution=False)
    assert read_index(with_plt).method == "plt"
    assert rewrite(rewrite(bare), plt=False, tlm=False, tile_parts_by_resolution=False) == bare
    assert rewrite(rewrite(bare)) == rewrite(bare)


def test_an_encoder_without_tile_parts_wrote_what_the_bare_rewrite_gives():
    plain = ht(150, 100, tlm=False, tile_parts=False)
    bare = rewrite(ht(150, 100), plt=False, tlm=False, tile_parts_by_resolution=False)
    assert bare == plain


def test_many_tile_parts_need_several_tlm():
    # 75 x 75 tiles of two levels: 11,250 tile-parts, more than one TLM can list.
    codestream = ht(150, 150, tile=(2, 2), levels=1, tlm=False, tile_parts=False)
    written = rewrite(codestream, plt=False)
    header = read_main_header(written)
    assert header.markers.count(TLM) == 2
    assert len(header.tile_part_lengths) == 75 * 75 * 2
    index = read_index(written)
    assert index.method == "tlm"
    assert index.level_ends[-1] == len(written) - 2
    assert np.array_equal(imagecodecs.htj2k_decode(written), picture(150, 150))


@pytest.mark.parametrize(
    ("codestream", "reason"),
    [
        (layered(), "does not go level by level"),
        (ht(150, 100, samples=3, order="CPRL", tlm=False, tile_parts=False), "level by level"),
        (ht(150, 100)[:50], "cut in its main header"),
        (ht(150, 100)[:5000], "cut"),
        (b"nothing of the kind", "SOC"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(codestream: bytes, reason: str):
    with pytest.raises(MalformedCodestream, match=reason) as refused:
        rewrite(codestream, resource="a.jph")
    assert refused.value.resource == "a.jph"


def test_layers_can_be_kept_in_one_tile_part():
    codestream = layered()
    written = rewrite(codestream, tile_parts_by_resolution=False)
    assert read_index(written).method == "plt"
    assert np.array_equal(openjpeg.decode(written), openjpeg.decode(codestream))


def test_packed_packet_headers_are_refused(shared_data):
    for name in ("p1_02.j2k", "p0_03.j2k"):
        with pytest.raises(MalformedCodestream, match="cannot be read"):
            rewrite(real_codestream(shared_data, f"iso15444-4/{name}"))


def test_real_streams_keep_their_picture(shared_data):
    rewritten = 0
    for name, entry in expectations(shared_data).items():
        codestream = real_codestream(shared_data, name)
        if not entry["cs"].get("ht") or len(codestream) > 200_000 or "iso15444" in name:
            continue
        if entry["cs"]["tiles"] > 50 or len({tuple(sub) for sub in entry["cs"]["sub"]}) > 1:
            continue
        written = rewrite(codestream)
        assert packets_of(written) == packets_of(codestream), name
        before, after = imagecodecs.htj2k_decode(codestream), imagecodecs.htj2k_decode(written)
        assert np.array_equal(before, after), name
        assert read_index(written).method == "tlm", name
        rewritten += 1
    assert rewritten >= 10


@pytest.mark.parametrize("target", ORDERS)
@pytest.mark.parametrize(
    "codestream",
    [
        pytest.param(lambda: ht(300, 200, order="RPCL"), id="one tile"),
        pytest.param(lambda: ht(150, 100, order="CPRL", samples=3), id="colour"),
        pytest.param(lambda: ht(300, 300, tile=(100, 128), levels=3, order="PCRL"), id="tiles"),
        pytest.param(lambda: layered(), id="layers"),
    ],
)
def test_every_order_without_decoding(codestream, target: str):
    """The same packets in another order are the same picture, and come back byte for byte."""
    before = codestream()
    by_level = target == "RPCL" or target == "RLCP"
    written = rewrite(before, progression_order=target, tile_parts_by_resolution=by_level)
    assert read_main_header(written).cod.progression_order == target
    assert np.array_equal(openjpeg.decode(written), openjpeg.decode(before))
    assert {t: sorted(p) for t, p in packets_of(written).items()} == {
        t: sorted(p) for t, p in packets_of(before).items()
    }
    index = read_index(written)
    assert index.complete
    assert (index.method == "tlm") == by_level
    own = read_main_header(before).cod.progression_order
    plain = {"tile_parts_by_resolution": False, "resource": None}
    assert rewrite(written, progression_order=own, **plain) == rewrite(before, **plain)


def test_real_streams_in_every_order(shared_data):
    """Also with SOP, EPH, offsets, subsampling and tiles; SOP numbers are in order again."""
    numbered = rewritten = 0
    for path in sorted((shared_data / "iso15444-4").rglob("*.j2k")):
        before = path.read_bytes()
        try:
            expected = imagecodecs.jpeg2k_decode(before)
            orders = [
                rewrite(before, progression_order=order, tile_parts_by_resolution=False)
                for order in ORDERS
            ]
        except (RuntimeError, MalformedCodestream):
            continue  # not for this decoder; POC, PPM, PPT or broken on purpose
        rewritten += 1
        for written in orders:
            assert np.array_equal(imagecodecs.jpeg2k_decode(written), expected), path.name
            packets = packets_of(written)
            for of_tile in packets.values():
                numbers = [
                    (place, int.from_bytes(packet[4:6], "big"))
                    for place, packet in enumerate(of_tile)
                    if packet[:4] == b"\xff\x91\x00\x04"
                ]
                assert all(place & 0xFFFF == number for place, number in numbers)
                numbered += len(numbers)
    assert rewritten > 5
    assert numbered > 30


def test_an_order_that_does_not_go_by_level_has_no_such_tile_parts():
    with pytest.raises(MalformedCodestream, match="LRCP"):
        rewrite(rewrite(layered(), progression_order="RPCL"), progression_order="LRCP")
