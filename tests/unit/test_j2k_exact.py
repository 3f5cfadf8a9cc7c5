"""A prefix cut at a level's end decodes to that level exactly, and ends are not a byte too late."""

from __future__ import annotations

import hashlib

import imagecodecs
import numpy as np
import pytest

from firstlight.j2k.index import read_index
from firstlight.j2k.rewrite import rewrite
from unit.j2k_samples import (
    ORDERS,
    expectations,
    ht,
    layered,
    part_1,
    picture,
    real_codestream,
    repaired,
)

HIGH_THROUGHPUT = {
    "1x1": ht(1, 1),
    "300x1": ht(300, 1),
    "1x300": ht(1, 300),
    "513x511": ht(513, 511),
    "513x511 without TLM": ht(513, 511, tlm=False, tile_parts=False),
    "513x511 rewritten": rewrite(ht(513, 511, tlm=False, tile_parts=False)),
    "colour": ht(100, 150, samples=3, levels=3),
    "tiles": ht(150, 100, tile=(64, 64), levels=3),
    "tiles rewritten": rewrite(ht(150, 100, tile=(64, 64), levels=3)),
    **{order: ht(150, 100, order=order, tlm=False, tile_parts=False) for order in ORDERS},
    **{
        f"{order} tiles": ht(
            150, 100, order=order, tile=(64, 64), levels=2, tlm=False, tile_parts=False
        )
        for order in ORDERS
    },
}


@pytest.mark.parametrize("name", HIGH_THROUGHPUT)
def test_a_prefix_of_a_high_throughput_stream_is_exact_and_minimal(name: str):
    codestream = HIGH_THROUGHPUT[name]
    index = read_index(codestream)
    start = 0
    for level, end in enumerate(index.level_ends):
        dropped = index.decomposition_levels - level
        whole = imagecodecs.htj2k_decode(codestream, skipres=dropped)
        # Resilient: with PCRL and CPRL the decoder goes on to look for levels it does not need.
        prefix = imagecodecs.htj2k_decode(codestream[:end], skipres=dropped, resilient=True)
        assert np.array_equal(prefix, whole), level
        # A few bytes are all but empty packets, whose loss changes nothing that can be seen.
        if end - start > 64:
            cut = codestream[: end - 1]
            short = imagecodecs.htj2k_decode(cut, skipres=dropped, resilient=True)
            assert not np.array_equal(short, whole), level
        start = end


PART_1 = {
    "gray": part_1(200, 300),
    "odd": part_1(33, 131),
    "colour": part_1(100, 150, samples=3),
    "with PLT": part_1(200, 300, plt=True),
    "layers": layered(),
}


@pytest.mark.parametrize("name", PART_1)
def test_a_prefix_of_a_part_1_stream_is_exact(name: str):
    codestream = PART_1[name]
    index = read_index(codestream)
    assert index.decomposition_levels == 5
    for level, end in enumerate(index.level_ends):
        dropped = index.decomposition_levels - level
        whole = imagecodecs.jpeg2k_decode(codestream, skipres=dropped)
        prefix = imagecodecs.jpeg2k_decode(repaired(codestream, end), skipres=dropped)
        assert np.array_equal(prefix, whole), level


def test_the_last_prefix_is_the_picture():
    codestream = ht(513, 511)
    end = read_index(codestream).level_ends[-1]
    assert np.array_equal(imagecodecs.htj2k_decode(codestream[:end]), picture(513, 511))


def test_prefixes_of_real_files_decode_to_the_published_hashes(shared_data):
    """Signed data only: the decoder wraps what overshoots in unsigned reduced pictures."""
    compared = 0
    for name, entry in expectations(shared_data).items():
        usable = entry["cs"].get("ht") and "reduced" in entry and all(entry["cs"]["signed"])
        if not usable or entry["cs"]["comps"] != 1:
            continue
        codestream = real_codestream(shared_data, name)
        index = read_index(codestream)
        for dropped, expected in entry["reduced"].items():
            if int(dropped) > index.decomposition_levels:
                continue
            end = index.level_ends[index.decomposition_levels - int(dropped)]
            pixels = imagecodecs.htj2k_decode(codestream[:end], skipres=int(dropped))
            found = hashlib.sha256(pixels.tobytes()).hexdigest()[:32]
            assert [found] == expected["comps_sha256_32"], (name, dropped)
            compared += 1
    assert compared >= 6
