"""Windows of a level from the packets of their precincts, against whole levels and OpenJPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest

from firstlight.j2k.index import read_index
from firstlight.j2k.markers import codestream_start
from firstlight.j2k.rewrite import rewrite
from wasm.codestreams import Encoded, picture, sample_range
from wasm.node import Answer, Session
from wasm.regions import bytes_of, encode_precincts, index_of, windows

if TYPE_CHECKING:
    from pathlib import Path

    from firstlight.j2k.region import Box

pytest.importorskip("ojph", reason="needs an encoder of precincts")
pytestmark = pytest.mark.node

BEYOND = "values beyond 16 bits in a window"


def black_and_white(*shape: int, bits: int = 16, cell: int = 1) -> np.ndarray:
    """Nothing but the ends of the range, in no order: the most that a wavelet can overshoot."""
    small = np.random.default_rng(cell).integers(0, 2, [-(-side // cell) for side in shape[:2]])
    large = np.kron(small, np.ones((cell, cell), int))[: shape[0], : shape[1]]
    plane = large * (2**bits - 1)
    return (plane if len(shape) == 2 else np.stack([plane, plane[::-1], plane], -1)).astype("u2")


CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "u8": (picture(257, 190, 8), 8, {}),
    "u12": (picture(300, 401, 12), 12, {}),
    "u16": (picture(190, 257, 16), 16, {}),
    "s8": (picture(190, 191, 8, signed=True), 8, {}),
    "s12": (picture(190, 191, 12, signed=True), 12, {}),
    "s16": (picture(257, 190, 16, signed=True), 16, {}),
    "rgb8_rct": (picture(257, 190, 8, samples=3), 8, {"colour_transform": True}),
    "rgb16_rct": (picture(130, 190, 16, samples=3), 16, {"colour_transform": True}),
    "rgb8": (picture(130, 190, 8, samples=3), 8, {}),
    "rgb8_by_component": (picture(130, 190, 8, samples=3), 8, {"order": "RLCP"}),
    "by_resolution": (picture(257, 190, 12), 12, {"order": "LRCP"}),
    "one_tile_part": (picture(257, 190, 12), 12, {"by_level": False}),
    "precincts_128": (picture(500, 701, 12), 12, {"precinct": 128, "levels": 5}),
    "precincts_256": (picture(500, 701, 12), 12, {"precinct": 256, "levels": 5}),
    "blocks_32": (picture(190, 257, 12), 12, {"block": 32}),
    "precincts_below_blocks": (picture(190, 257, 12), 12, {"precinct": 32, "block": 64}),
    "one_row": (picture(1, 300, 12), 12, {"levels": 3}),
    "one_column": (picture(300, 1, 12), 12, {"levels": 3}),
    "two_by_three": (picture(2, 3, 12), 12, {"levels": 2}),
    "white": (np.full((150, 190), 65535, "u2"), 16, {}),
    "noise_16": (black_and_white(190, 150), 16, {}),
    "cells_16": (black_and_white(190, 150, cell=7), 16, {}),
    "noise_16_rct": (black_and_white(130, 100, 3), 16, {"colour_transform": True}),
    "noise_15": (black_and_white(190, 150, bits=15), 15, {}),
}
OVERSHOOTING = {"noise_16", "cells_16", "noise_16_rct"}


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a level, and what came out."""

    level: int
    base_level: int
    box: Box
    answer: Answer

    @property
    def rows_and_columns(self) -> tuple[slice, slice]:
        return slice(self.box.top, self.box.bottom), slice(self.box.left, self.box.right)


@dataclass(frozen=True, slots=True)
class Case:
    """A codestream, its levels as they are decoded whole, and windows of them."""

    encoded: Encoded
    levels: list[Answer]
    windows: list[Window]


def add_windows(session: Session, encoded: Encoded) -> list[tuple[int, int, Box, int]]:
    places = []
    for level in range(encoded.levels + 1):
        for base_level in sorted({0, max(level - 1, 0), level}):
            index = index_of(encoded.codestream, level, base_level)
            assert index.refusal is None
            every = windows(*index.size(level))
            for box in every if base_level == 0 else every[3:6]:
                place = add_window(session, encoded, index.plan(box, level, base_level))
                places.append((level, base_level, box, place))
    return places


def add_window(session: Session, encoded: Encoded, plan: Any) -> int:
    stream = bytes_of(encoded.codestream, plan)
    place = session.add(stream, plan.level, encoded.levels, encoded.image)
    session.jobs[place]["region"] = plan.message()
    return place


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """All cases by one codec instance, as in a worker."""
    session = Session(tmp_path_factory.mktemp("regions"))
    encoded = {
        name: encode_precincts(source, bits, **options)
        for name, (source, bits, options) in CASES.items()
    }
    whole = {
        name: session.add_levels(each.codestream, each.levels, each.image)
        for name, each in encoded.items()
    }
    places = {name: add_windows(session, each) for name, each in encoded.items()}
    answers = session.run()
    return {
        name: Case(
            each,
            answers[whole[name]],
            [Window(*where, answers[place]) for *where, place in places[name]],
        )
        for name, each in encoded.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_a_window_is_the_crop_of_its_level(case: str, decoded: dict[str, Case]) -> None:
    levels = [answer.array for answer in decoded[case].levels]
    np.testing.assert_array_equal(levels[-1], decoded[case].encoded.source)
    assert len(decoded[case].windows) >= 8 * len(levels) // 2
    for window in decoded[case].windows:
        array = window.answer.array
        if array is None:
            # Even the picture of the base level leaves 17 bits: no picture then, never a wrong one.
            assert (window.answer.error, window.answer.message) == ("DecodeError", BEYOND)
            assert case in OVERSHOOTING
            assert window.base_level > 0
            continue
        expected = levels[window.level][window.rows_and_columns]
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected, f"{window.level} {window.box}")


@pytest.mark.parametrize("case", sorted(CASES.keys() - OVERSHOOTING))
def test_a_window_is_what_openjpeg_makes_of_it(case: str, decoded: dict[str, Case]) -> None:
    encoded = decoded[case].encoded
    low, high = sample_range(encoded.codestream)
    references = [
        imagecodecs.jpeg2k_decode(encoded.codestream, skipres=encoded.levels - level)
        for level in range(encoded.levels + 1)
    ]
    for window in decoded[case].windows:
        answer = decoded[case].levels[window.level].array
        reference = references[window.level].reshape(answer.shape)
        array = np.clip(window.answer.array, low, high)
        np.testing.assert_array_equal(array, reference[window.rows_and_columns])


@pytest.mark.parametrize("case", sorted(OVERSHOOTING))
def test_detail_beyond_16_bits_is_decoded_too(case: str, decoded: dict[str, Case]) -> None:
    from_the_least = [window for window in decoded[case].windows if window.base_level == 0]
    assert all(window.answer.array is not None for window in from_the_least)
    top = [window for window in from_the_least if window.level == decoded[case].encoded.levels]
    assert len(top) == 8


FOREIGN = {
    "simple_dec_rev53_64x64.jph": 8,
    "simple_dec_rev53_64x64_16bit_gray.jph": 16,
    "ds0_ht_01_b11.j2k": 8,
}


def test_codestreams_of_other_encoders(shared_data: Path, tmp_path: Path) -> None:
    session, cases = Session(tmp_path), []
    for name, bits in FOREIGN.items():
        file = next(shared_data.rglob(name)).read_bytes()
        codestream = rewrite(file[codestream_start(file) :])
        encoded = Encoded(codestream, imagecodecs.jpeg2k_decode(codestream), bits)
        top = encoded.levels
        for level in (top - 1, top):
            index = index_of(codestream, level, 0)
            stop = read_index(codestream).level_ends[level]
            whole = session.add(codestream, level, top, encoded.image, stop=stop)
            for box in windows(*index.size(level))[:6:2]:
                place = add_window(session, encoded, index.plan(box, level, 0))
                cases.append((encoded, level, box, whole, place))
    answers = session.run()
    for encoded, level, box, whole, place in cases:
        expected = answers[whole].array[box.top : box.bottom, box.left : box.right]
        np.testing.assert_array_equal(answers[place].array, expected)
        if level == encoded.levels:
            np.testing.assert_array_equal(answers[whole].array, encoded.source)


@pytest.mark.parametrize(("case", "part"), [("noise_16", "steps"), ("white", "base")])
def test_without_the_wide_headers_there_is_no_picture(
    case: str, part: str, decoded: dict[str, Case], tmp_path: Path
) -> None:
    encoded, session = decoded[case].encoded, Session(tmp_path)
    index = index_of(encoded.codestream, 4, 2)
    plan = index.plan(windows(*index.size(4))[3], 4, 2)
    add_window(session, encoded, plan)
    message = plan.message()
    if part == "base":
        message["base"] = {**message["base"], "wide": None}
    else:
        message["steps"] = [{**step, "wide": []} for step in message["steps"]]
    session.jobs.append({**session.jobs[0], "region": message})
    with_them, without = session.run()
    assert with_them.array is not None
    assert (without.error, without.message) == ("DecodeError", BEYOND)


@pytest.fixture(scope="module")
def small() -> Encoded:
    return encode_precincts(picture(190, 257, 12), 12)


def test_bytes_that_are_not_those_of_the_window_are_refused(small: Encoded, tmp_path: Path) -> None:
    session = Session(tmp_path)
    index = index_of(small.codestream, 4, 1)
    plan = index.plan(windows(257, 190)[5], 4, 1)
    stream = bytes_of(small.codestream, plan)
    for cut in (stream[:-1], stream + b"\0", b""):
        session.add(cut, 4, 4, small.image)
        session.jobs[-1]["region"] = plan.message()
    for wrong in ({"rows": 189}, {"samplesPerPixel": 3}, {"bitsAllocated": 8}):
        session.add(stream, 4, 4, {**small.image, **wrong})
        session.jobs[-1]["region"] = plan.message()
    session.add(stream, 4, 4, small.image, codec="openjpeg")
    session.jobs[-1]["region"] = plan.message()
    add_window(session, small, plan)
    *refused, last = session.run(alternatives=True)
    assert [answer.error for answer in refused] == [
        "DecodeError",
        "DecodeError",
        "MalformedCodestream",
        "DecodeError",
        "DecodeError",
        "DecodeError",
        "UnsupportedTransferSyntax",
    ]
    np.testing.assert_array_equal(
        last.array, small.source[plan.box.top : plan.box.bottom, plan.box.left : plan.box.right]
    )


def test_damaged_packets_end_in_a_picture_or_an_error(small: Encoded, tmp_path: Path) -> None:
    session = Session(tmp_path)
    index = index_of(small.codestream, 4, 1)
    plan = index.plan(windows(257, 190)[5], 4, 1)
    stream = bytes_of(small.codestream, plan)
    random = np.random.default_rng(7)
    for _ in range(40):
        damaged = bytearray(stream)
        for at in random.integers(plan.base.start + 40, len(stream), 6):
            damaged[at] = random.integers(0, 256)
        session.add(bytes(damaged), 4, 4, small.image)
        session.jobs[-1]["region"] = plan.message()
    good = add_window(session, small, plan)
    answers = session.run(traps=True)
    assert all(answer.error in (None, "DecodeError", "MalformedCodestream") for answer in answers)
    rows, columns = slice(plan.box.top, plan.box.bottom), slice(plan.box.left, plan.box.right)
    np.testing.assert_array_equal(answers[good].array, small.source[rows, columns])
