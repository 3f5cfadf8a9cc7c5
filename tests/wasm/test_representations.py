"""What differs from a frame as it is stored: streams of another size, and streams that are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from firstlight.j2k.index import read_index
from wasm.codestreams import encode, image_of, level_ends, picture
from wasm.node import Session
from wasm.test_hostile import Good, good_streams

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

SAY_THEIR_SIZE = ("openjph", "openjpeg", "charls", "libjpeg-turbo", "jpeg-lossless")


def bounded(good: Good, rows: int, columns: int) -> dict:
    return {**good.image, "hasOwnSize": True, "rows": rows, "columns": columns}


def test_a_stream_of_its_own_size(tmp_path: Path) -> None:
    """Comes out with that size where it is at most the one given, and is refused beyond."""
    session = Session(tmp_path)
    goods = [good for good in good_streams() if good.codec in SAY_THEIR_SIZE]
    for good in goods:
        rows, columns = good.source.shape[:2]
        for bound in ((rows, columns), (2000, columns + 1), (rows - 1, 2000), (2000, columns - 1)):
            image = bounded(good, *bound)
            session.add(good.stream, good.levels, good.levels, image, codec=good.codec)
        more = {**bounded(good, 2000, 2000), "samplesPerPixel": 2}
        session.add(good.stream, good.levels, good.levels, more, codec=good.codec)
    answers = session.run()
    assert {good.codec for good in goods} == set(SAY_THEIR_SIZE)
    for index, good in enumerate(goods):
        exact, within, too_high, too_wide, other = answers[5 * index : 5 * index + 5]
        for answer in (exact, within):
            difference = np.abs(answer.array.astype(int) - good.source)
            assert difference.max() <= good.tolerance, good.codec
        assert (too_high.error, too_wide.error) == ("LimitExceeded", "LimitExceeded")
        assert other.error == "DecodeError"


def test_levels_of_a_stream_of_its_own_size(tmp_path: Path) -> None:
    source = picture(101, 75, 12)
    encoded = encode(source, 12, levels=3)
    session = Session(tmp_path)
    image = {**encoded.image, "hasOwnSize": True, "rows": 3000, "columns": 3000}
    for level in range(4):
        session.add(encoded.codestream, level, 3, encoded.image)
        session.add(encoded.codestream, level, 3, image)
    answers = session.run()
    for known, unknown in zip(answers[::2], answers[1::2], strict=True):
        np.testing.assert_array_equal(known.array, unknown.array)


def test_codings_without_a_size_refuse(tmp_path: Path) -> None:
    session = Session(tmp_path)
    goods = [good for good in good_streams() if good.codec not in SAY_THEIR_SIZE]
    for good in goods:
        session.add(good.stream, 0, 0, bounded(good, 2000, 2000), codec=good.codec)
    assert {answer.error for answer in session.run()} == {"UnsupportedTransferSyntax"}


def rms(array: np.ndarray, source: np.ndarray) -> float:
    return float(np.sqrt(((array.astype(float) - source) ** 2).mean()))


def test_a_cut_codestream_at_full_size_improves_with_every_level(tmp_path: Path) -> None:
    """OpenJPH takes any prefix, OpenJPEG one that ends with a level."""
    source = picture(300, 310, 12)
    high = encode(source, 12)
    part_1 = bytes(imagecodecs.jpeg2k_encode(source, codecformat="J2K", level=0, bitspersample=12))
    levels = part_1[part_1.index(b"\xff\x52") + 9]
    image = image_of(source, 12)
    session = Session(tmp_path)
    ends = level_ends(high.codestream, high.levels)
    middle = (ends[-2] + ends[-1]) // 2
    stops = [*ends[:-1], middle, len(high.codestream)]
    for stop in stops:
        session.add(high.codestream, high.levels, high.levels, image, stop=stop)
    answers = session.run()
    errors = [rms(answer.array, source) for answer in answers]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == len(errors)
    assert errors[-1] == 0
    slow = Session(tmp_path, "openjpeg")
    stops = [*read_index(part_1).level_ends, len(part_1)]
    for stop in stops:
        slow.add(part_1, levels, levels, image, stop=stop)
    slow.add(part_1, levels, levels, image, stop=len(part_1) // 2)
    *whole, within = slow.run()
    errors = [rms(answer.array, source) for answer in whole]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0
    assert within.error == "DecodeError"
