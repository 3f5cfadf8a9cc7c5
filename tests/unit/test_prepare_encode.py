"""Codestreams as HTJ2K Lossless RPCL asks for them (PS3.5 10.18), and exactly reversible."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from firstlight.errors import DecodeError
from firstlight.j2k.markers import read_main_header
from firstlight.prepare import encode, htj2k
from firstlight.prepare.encode import encode_frame
from firstlight.prepare.htj2k import decomposition_levels
from unit.j2k_samples import picture

TLM, PLT = b"\xff\x55", b"\xff\x58"


@pytest.mark.parametrize(
    ("rows", "columns", "levels"),
    [(1, 1, 1), (64, 64, 2), (128, 128, 3), (129, 10, 4), (512, 512, 5), (3036, 3036, 6)],
)
def test_base_is_at_most_64_pixels_and_16_where_five_levels_reach_that(
    rows: int, columns: int, levels: int
) -> None:
    assert decomposition_levels(rows, columns) == levels


def test_codestream_has_what_readers_by_ranges_need() -> None:
    values = picture(600, 500)
    encoded = encode_frame(values, bits_stored=12, colour_transform=False)
    header = read_main_header(encoded.codestream)
    assert header.decomposition_levels == 5
    assert len(encoded.level_ends) == 6
    main_header = encoded.codestream[: encoded.codestream.index(b"\xff\x90")]
    assert TLM in main_header
    assert PLT in encoded.codestream
    assert encoded.codestream.count(b"\xff\x90\x00\x0a") == 6, "a tile-part for each level"
    assert encoded.level_ends[-1] == len(encoded.codestream) - 2, "only EOC follows"


@pytest.mark.parametrize("level", range(6))
def test_a_prefix_decodes_to_its_level(level: int) -> None:
    """As the whole codestream does at that level; one byte less does not."""
    values = picture(600, 500).astype(np.int16)
    encoded = encode_frame(values, bits_stored=13, colour_transform=False)
    skipped = len(encoded.level_ends) - 1 - level
    whole = imagecodecs.htj2k_decode(encoded.codestream, skipres=skipped)
    prefix = encoded.codestream[: encoded.level_ends[level]]
    assert np.array_equal(imagecodecs.htj2k_decode(prefix, skipres=skipped), whole)


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int8, np.uint16, np.int16]),
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=70),
    )
)
def test_any_values_survive(values: np.ndarray) -> None:
    """`encode_frame` compares by itself; here OpenJPH decodes too.

    Of images one pixel wide OpenJPH 0.32 loses the lowest value, which `encode_frame` refuses.
    """
    encoded = encode_frame(values, bits_stored=8 * values.itemsize, colour_transform=False)
    decoded = imagecodecs.htj2k_decode(encoded.codestream)
    assert decoded.dtype == values.dtype
    assert np.array_equal(decoded.reshape(values.shape), values)


@pytest.mark.parametrize("colour_transform", [True, False])
def test_colour(colour_transform: bool) -> None:
    values = np.ascontiguousarray(picture(90, 70, 3))
    encoded = encode_frame(values, bits_stored=8, colour_transform=colour_transform)
    assert np.array_equal(imagecodecs.jpeg2k_decode(encoded.codestream), values)


def test_overshoot_of_a_lossy_source_widens_bits_stored() -> None:
    values = np.array([[0, 4096], [4095, 7]], np.uint16)
    assert encode_frame(values, bits_stored=12, colour_transform=False).bits_stored == 16
    values[0, 1] = 4095
    assert encode_frame(values, bits_stored=12, colour_transform=False).bits_stored == 12


def test_wrong_pixels_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A codestream of another image in place of the right one must not pass."""
    other = encode_frame(picture(40, 40) + 1, bits_stored=13, colour_transform=False)
    monkeypatch.setattr(htj2k, "rewrite", lambda _, **__: other.codestream)
    with pytest.raises(DecodeError, match="other pixels"):
        encode_frame(picture(40, 40), bits_stored=13, colour_transform=False)


@pytest.mark.parametrize(("proof", "shape"), [("sampled", (16, 400)), ("independent", (300, 300))])
def test_openjpeg_is_asked(
    proof: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every frame if told so, else of those in which OpenJPH was once caught."""
    asked = []
    there = encode._by_openjpeg
    monkeypatch.setattr(
        encode, "_by_openjpeg", lambda codestream: asked.append(codestream) or there(codestream)
    )
    values = picture(*shape)
    found = encode_frame(values, bits_stored=12, colour_transform=False, proof=proof)
    assert asked == [found.codestream]


def test_a_sample_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """About one frame in sixteen goes to OpenJPEG too, and the same ones each time."""
    asked = []
    there = encode._by_openjpeg
    monkeypatch.setattr(
        encode, "_by_openjpeg", lambda codestream: asked.append(1) or there(codestream)
    )
    chosen = []
    for _ in range(2):
        before = len(asked)
        for number in range(64):
            values = picture(140, 130) + np.uint16(number)
            encode_frame(values, bits_stored=13, colour_transform=False)
        chosen.append(len(asked) - before)
    assert 1 <= chosen[0] <= 12
    assert chosen[0] == chosen[1]
