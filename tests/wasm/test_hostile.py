"""Damaged and lying streams of every codec: a typed error or a picture of the right shape."""

from __future__ import annotations

import os
import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from wasm.codestreams import Image, encode, image_of, picture
from wasm.lossless_jpeg import lossless_stream
from wasm.node import HANG, Session
from wasm.test_uncompressed import rle_encode

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

DAMAGED_EACH = 60
CUT_EACH = 20


@dataclass(frozen=True, slots=True)
class Good:
    """A stream, its codec, and what it decodes to within ``tolerance``."""

    codec: str
    stream: bytes
    source: np.ndarray
    image: Image
    levels: int = 0
    tolerance: int = 0


def good_streams() -> list[Good]:
    grey, wide = picture(48, 40, 8), picture(48, 40, 12)
    rgb = picture(48, 40, 8, samples=3)
    part_1 = imagecodecs.jpeg2k_encode(wide, codecformat="J2K", level=0, bitspersample=12)
    levels = part_1[part_1.index(b"\xff\x52") + 9]
    baseline = imagecodecs.jpeg8_encode(rgb, 95, subsampling="444")
    extended = imagecodecs.jpeg8_encode(wide, 100, bitspersample=12)
    ybr = {**image_of(rgb, 8), "photometricInterpretation": "RGB"}
    high = encode(wide, 12)
    return [
        Good("openjph", high.codestream, wide, high.image, high.levels),
        Good("openjpeg", bytes(part_1), wide, image_of(wide, 12), levels),
        Good("charls", imagecodecs.jpegls_encode(grey), grey, image_of(grey, 8)),
        Good("charls", imagecodecs.jpegls_encode(rgb), rgb, image_of(rgb, 8)),
        Good("libjpeg-turbo", baseline, imagecodecs.jpeg8_decode(baseline), ybr),
        Good("libjpeg-turbo", extended, wide, image_of(wide, 12), tolerance=3),
        Good("jpeg-lossless", lossless_stream([wide], 12), wide, image_of(wide, 12)),
        Good("rle", rle_encode(grey), grey, image_of(grey, 8)),
        Good("deflated-frame", zlib.compress(grey.tobytes(), wbits=-15), grey, image_of(grey, 8)),
        Good("native-le", grey.tobytes(), grey, image_of(grey, 8)),
    ]


def damaged(stream: bytes, chance: random.Random) -> bytes:
    """One to three bytes changed, half of them among the first hundred: the headers."""
    changed = bytearray(stream)
    for _ in range(chance.randint(1, 3)):
        reach = min(100, len(stream)) if chance.random() < 0.5 else len(stream)
        changed[chance.randrange(reach)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0xD9))
    return bytes(changed)


def test_damage_is_an_error_or_a_picture_and_nothing_else(tmp_path: Path) -> None:
    """After it each codec still decodes as before."""
    chance = random.Random(7)
    session = Session(tmp_path)
    expected: list[tuple[Good, str]] = []
    for good in good_streams():
        bad = [damaged(good.stream, chance) for _ in range(DAMAGED_EACH)]
        cuts = [good.stream[: chance.randrange(len(good.stream))] for _ in range(CUT_EACH)]
        for kind, streams in (("damaged", bad), ("cut", [b"", *cuts]), ("good", [good.stream])):
            for stream in streams:
                session.add(stream, good.levels, good.levels, good.image, codec=good.codec)
                expected.append((good, kind))
    for (good, kind), answer in zip(expected, session.run(traps=True), strict=True):
        assert answer.error != HANG, (good.codec, kind)
        # CharLS reads outside of its memory at some damage: the runner replaces the instance
        assert good.codec == "charls" or " broke: " not in (answer.message or "")
        if kind == "good":
            difference = np.abs(answer.array.astype(int) - good.source)
            assert difference.max() <= good.tolerance, good.codec
        elif kind == "cut" and good.codec != "openjph":  # which shows what it has: its README.md
            assert answer.error in ("DecodeError", "MalformedCodestream"), (good.codec, answer)
        elif answer.error is None:
            assert answer.array.shape == good.source.shape


def with_huge_frame(good: Good) -> bytes:
    """The stream with 60,000 rows and columns in its frame header."""
    size = (60_000).to_bytes(2, "big")
    for marker in (b"\xff\xf7", b"\xff\xc0", b"\xff\xc1", b"\xff\xc3"):
        at = good.stream.find(marker)
        if at >= 0:
            return good.stream[: at + 5] + size + size + good.stream[at + 9 :]
    at = good.stream.index(b"\xff\x51") + 6
    side = (60_000).to_bytes(4, "big")
    sized = side * 2 + bytes(8) + side * 2
    return good.stream[:at] + sized + good.stream[at + 24 :]


def test_what_a_header_announces_takes_no_memory(tmp_path: Path) -> None:
    """Neither where DICOM announces something else, nor where it says the same."""
    session = Session(tmp_path)
    goods = [good for good in good_streams() if not good.codec.startswith(("rle", "def", "nat"))]
    for good in goods:
        huge = with_huge_frame(good)
        same = {**good.image, "rows": 60_000, "columns": 60_000}
        session.add(good.stream, good.levels, good.levels, good.image, codec=good.codec)
        session.add(huge, good.levels, good.levels, good.image, codec=good.codec)
        session.add(huge, good.levels, good.levels, same, codec=good.codec)
    answers = session.run()
    for before, huge, same in zip(answers[::3], answers[1::3], answers[2::3], strict=True):
        assert (huge.error, same.error) == ("LimitExceeded", "LimitExceeded")
        assert before.heap_bytes == same.heap_bytes


def test_other_streams_than_dicom_announces_are_refused(tmp_path: Path) -> None:
    session = Session(tmp_path)
    goods = [good for good in good_streams() if good.image["rows"] and good.codec != "native-le"]
    for good in goods:
        other = {**good.image, "rows": good.image["rows"] + 1}
        session.add(good.stream, good.levels, good.levels, other, codec=good.codec)
    assert {answer.error for answer in session.run()} == {"DecodeError"}


def test_a_hang_is_noticed_and_the_jobs_after_it_run(tmp_path: Path) -> None:
    """The guard that every test of bad input relies on: a source that never comes to an end."""
    good = good_streams()[-1]
    session = Session(tmp_path, good.codec)
    for _ in range(3):
        session.add(good.stream, 0, 0, good.image)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    session.jobs[1] |= {"source": str(pipe), "limit_s": 2}
    first, hung, last = session.run()
    assert hung.error == HANG
    for answer in (first, last):
        np.testing.assert_array_equal(answer.array, good.source)
