"""Broken codestreams: either a typed error or an index that holds, and always an end."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstlight.errors import MalformedCodestream
from firstlight.j2k.index import IndexReader, read_index
from firstlight.j2k.markers import NeedMore, codestream_start, read_main_header
from firstlight.j2k.rewrite import rewrite
from unit.j2k_samples import ht, layered, part_1

SOUND = {
    "tlm": ht(90, 70, levels=3),
    "packets": ht(90, 70, levels=3, tlm=False, tile_parts=False),
    "tiles": ht(90, 70, levels=2, tile=(40, 40), order="PCRL", tlm=False, tile_parts=False),
    "rewritten": rewrite(ht(90, 70, samples=3, levels=3)),
    "part 1": part_1(64, 96, plt=True),
    "layers": layered(),
}
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def check(codestream: bytes, length: int | None) -> None:
    """Feed as wanted; whatever is told must hold."""
    reader = IndexReader(length)
    known: tuple[int, ...] = ()
    rounds = 0
    try:
        while reader.wanted is not None:
            wanted = reader.wanted
            rounds += 1
            assert rounds < 4 * len(codestream) + 100
            reader.feed(wanted.start, codestream[wanted.start : wanted.stop])
            if reader.index is not None:
                ends = reader.index.level_ends
                assert ends[: len(known)] == known
                known = ends
    except MalformedCodestream:
        assert reader.wanted is None
    if reader.index is not None:
        ends = reader.index.level_ends
        assert list(ends) == sorted(ends)
        assert len(ends) <= reader.index.decomposition_levels + 1
        if length is not None:
            assert all(end <= length for end in ends)


@pytest.mark.parametrize("name", SOUND)
@given(data=st.data())
@FUZZ
def test_cut_anywhere(name: str, data: st.DataObject):
    codestream = SOUND[name]
    cut = codestream[: data.draw(st.integers(0, len(codestream)))]
    check(cut, len(cut))
    check(cut, None)


@pytest.mark.parametrize("name", SOUND)
@given(data=st.data())
@FUZZ
def test_flipped_bytes(name: str, data: st.DataObject):
    broken = bytearray(SOUND[name])
    # Half of the damage goes to the headers, where it does most.
    places = st.integers(0, 200) | st.integers(0, len(broken) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(places) % len(broken)] = data.draw(st.integers(0, 255))
    check(bytes(broken), len(broken))
    check(bytes(broken), None)


@given(data=st.binary(max_size=400))
@FUZZ
def test_random_bytes_after_a_sound_header(data: bytes):
    head = SOUND["packets"][: read_main_header(SOUND["packets"]).header_stop]
    check(head + data, None)
    check(head + data, len(head) + len(data))


@given(data=st.binary(max_size=200))
@FUZZ
def test_random_bytes(data: bytes):
    for codestream in (data, b"\xff\x4f" + data, b"\xff\x4f\xff\x51" + data):
        check(codestream, None)
        with pytest.raises((MalformedCodestream, NeedMore)):
            read_main_header(codestream)
        with suppress(MalformedCodestream, NeedMore):
            assert 0 <= codestream_start(codestream) <= len(codestream)


@given(data=st.data())
@FUZZ
def test_the_rewrite_of_broken_streams(data: st.DataObject):
    broken = bytearray(SOUND["tlm"])
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        written = rewrite(bytes(broken))
    except MalformedCodestream:
        return
    assert read_index(written).complete


def test_claims_of_much_work_cost_little():
    """2,001 components, 33 levels and 65,535 layers, nearly all of them without a sample."""
    components = [(1, 1)] + [(255, 255)] * 2000
    siz = struct.pack(">HIIIIIIIIH", 0, 3, 3, 1, 1, 3, 3, 0, 0, len(components))
    siz += b"".join(struct.pack(">BBB", 7, dx, dy) for dx, dy in components)
    cod = struct.pack(">BBHB BBBBB", 0, 0, 65535, 0, 32, 4, 4, 0, 1)
    head = b"\xff\x4f"
    for marker, payload in ((0xFF51, siz), (0xFF52, cod)):
        head += struct.pack(">HH", marker, len(payload) + 2) + payload
    empty_packets = bytes(20_000)
    length = 14 + len(empty_packets)
    tile_part = struct.pack(">HHHIBBH", 0xFF90, 10, 0, length, 0, 1, 0xFF93) + empty_packets
    check(head + tile_part, None)
    check(head + tile_part, len(head) + len(tile_part))
    vast = bytearray(SOUND["packets"])
    vast[8:16] = vast[24:32] = struct.pack(">II", 2**31, 2**31)
    check(bytes(vast), len(vast))
    assert read_index(bytes(vast)).method == "growing"


def test_broken_files_collected_by_others(shared_data):
    found = 0
    for path in sorted((shared_data / "negative").rglob("*")):
        if not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        data = path.read_bytes()
        start = data.find(b"\xff\x4f\xff\x51")
        if start < 0:
            continue
        found += 1
        check(data[start:], len(data) - start)
        check(data[start:], None)
    assert found >= 5
