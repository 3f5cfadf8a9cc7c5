"""What is not an image gets a typed error, and the next decode is right."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from wasm.codestreams import encode, picture, tile_part_ends
from wasm.node import Answer, Session

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.node

GOOD = encode(picture(120, 90, 12), 12)
OTHER = encode(picture(120, 90, 12)[::-1].copy(), 12)
HEADER_BYTES = tile_part_ends(GOOD.codestream)[0] - 1


def with_field(offset: int, value: int, *, of: bytes = GOOD.codestream, size: int = 4) -> bytes:
    """The stream with one big-endian field, counted from SOC, changed."""
    return of[:offset] + value.to_bytes(size, "big") + of[offset + size :]


def with_sides(columns: int, rows: int) -> bytes:
    """The stream with another image size in SIZ, of one tile."""
    sized = struct.pack(">8I", columns, rows, 0, 0, columns, rows, 0, 0)
    return GOOD.codestream[:8] + sized + GOOD.codestream[40:]


BAD = {
    "empty": (b"", {}, "MalformedCodestream"),
    "text": (b"<html>404 not found</html>", {}, "MalformedCodestream"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(100), {}, "MalformedCodestream"),
    "zeros": (bytes(5000), {}, "MalformedCodestream"),
    "box_without_codestream": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), {}, "MalformedCodestream"),
    "part_1": (
        imagecodecs.jpeg2k_encode(GOOD.source, codecformat="J2K", level=0),
        {},
        "UnsupportedTransferSyntax",
    ),
    "huge": (with_sides(60_000, 60_000), {}, "LimitExceeded"),
    "huge_and_announced": (
        with_sides(60_000, 60_000),
        {"rows": 60_000, "columns": 60_000},
        "LimitExceeded",
    ),
    "no_columns": (with_field(8, 0), {}, "MalformedCodestream"),
    "no_tile": (with_field(24, 0), {}, "MalformedCodestream"),
    "offset_past_the_end": (with_field(16, 5000), {}, "MalformedCodestream"),
    "no_components": (with_field(40, 0, size=2), {}, "MalformedCodestream"),
    "many_components": (with_field(40, 16_384, size=2), {}, "MalformedCodestream"),
    "other_size": (with_sides(90, 121), {}, "DecodeError"),
    "too_many_samples": (GOOD.codestream, {"samplesPerPixel": 3}, "DecodeError"),
    "seventeen_bits": (with_field(42, 16, size=1), {}, "UnsupportedTransferSyntax"),
    "more_bits_than_allocated": (
        GOOD.codestream,
        {"bitsAllocated": 8, "bitsStored": 8},
        "DecodeError",
    ),
    "subsampled": (with_field(43, 0x0202, size=2), {}, "UnsupportedTransferSyntax"),
    "no_size_segment": (with_field(2, 0xFF52, size=2), {}, "MalformedCodestream"),
}


@pytest.fixture(scope="module")
def bad_answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Answer, Answer]]:
    """Every bad stream in one session, each followed by a good one."""
    session = Session(tmp_path_factory.mktemp("bad"))
    for stream, image, _ in BAD.values():
        session.add(stream, 5, 5, {**GOOD.image, **image})
        session.add_whole(GOOD)
    answers = session.run()
    return dict(zip(BAD, zip(answers[::2], answers[1::2], strict=True), strict=True))


@pytest.mark.parametrize("case", BAD)
def test_a_bad_stream_is_refused_by_name(
    case: str, bad_answers: dict[str, tuple[Answer, Answer]]
) -> None:
    bad, good = bad_answers[case]
    assert bad.error == BAD[case][2], bad.message
    assert bad.message
    np.testing.assert_array_equal(good.array, GOOD.source)


def test_refusals_take_no_memory(bad_answers: dict[str, tuple[Answer, Answer]]) -> None:
    assert len({answer.heap_bytes for pair in bad_answers.values() for answer in pair}) == 1


@pytest.mark.parametrize(("level", "levels"), [(6, 5), (-1, 5), (2.5, 5), (4, 4), (6, 6)])
def test_a_level_that_is_not_there(level: int, levels: int, tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.add(GOOD.codestream, level, levels, GOOD.image)
    session.add_whole(GOOD)
    refused, good = session.run()
    assert refused.error == "DecodeError"
    np.testing.assert_array_equal(good.array, GOOD.source)


def test_the_limit_can_be_set(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.add_whole(GOOD)
    assert session.run(max_samples=120 * 90 - 1)[0].error == "LimitExceeded"
    assert session.run(max_samples=120 * 90)[0].error is None


def test_a_cut_stream_never_shows_the_picture_before_it(tmp_path: Path) -> None:
    """Within the header it is refused; after it, only what the prefix holds is shown."""
    inside = random.Random(4).sample(range(HEADER_BYTES, len(GOOD.codestream)), 20)
    cuts = [*range(HEADER_BYTES), *inside]
    session = Session(tmp_path)
    fresh = [alone(GOOD.codestream[:cut], tmp_path) for cut in inside[:3]]
    for cut in cuts:
        session.add_whole(OTHER)
        session.add(GOOD.codestream, 5, 5, GOOD.image, stop=cut)
    answers = session.run()
    assert {answer.sha256 for answer in answers[::2]} == {answers[0].sha256}
    np.testing.assert_array_equal(answers[0].array, OTHER.source)
    for answer in answers[1::2]:
        assert answer.error in ("MalformedCodestream", None)
        assert answer.sha256 != answers[0].sha256
    main_header = GOOD.codestream.index(b"\xff\x90")
    assert all(answer.error for answer in answers[1 : 2 * main_header : 2])
    after_header = answers[2 * HEADER_BYTES + 1 :: 2]
    assert [answer.sha256 for answer in after_header[:3]] == fresh


def alone(codestream: bytes, folder: Path) -> str | None:
    """What a new instance makes of a stream."""
    session = Session(folder)
    session.add(codestream, 5, 5, GOOD.image)
    return session.run()[0].sha256


def test_damaged_headers_break_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    session = Session(tmp_path)
    for _ in range(250):
        damaged = bytearray(GOOD.codestream)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(4, HEADER_BYTES)] ^= 1 << chance.randrange(8)
        session.add(bytes(damaged), 5, 5, GOOD.image)
        session.add_whole(GOOD)
    answers = session.run()
    for damaged, good in zip(answers[::2], answers[1::2], strict=True):
        assert damaged.error is not None or damaged.array.shape == GOOD.source.shape
        np.testing.assert_array_equal(good.array, GOOD.source)
    assert sum(answer.error is not None for answer in answers[::2]) > 100


@pytest.mark.parametrize(
    "name",
    [
        "security_ht_segments_overflow.j2k",
        "security_marker_cod_levels.j2k",
        "security_multitilepart_cblk_length.j2k",
        "issue726.j2k",
        "issue775.j2k",
        "issue979.j2k",
        "broken.jpc",
    ],
)
def test_known_malicious_streams(name: str, shared_data: Path, tmp_path: Path) -> None:
    stream = (shared_data / "negative" / "j2k" / name).read_bytes()
    columns, rows = struct.unpack_from(">2I", stream, 8)
    image = {
        "rows": rows,
        "columns": columns,
        "samplesPerPixel": struct.unpack_from(">H", stream, 40)[0],
        "bitsAllocated": 8,
        "bitsStored": 8,
        "pixelRepresentation": 0,
    }
    session = Session(tmp_path)
    levels = stream[stream.index(b"\xff\x52") + 9]
    session.add(stream, levels, levels, image)
    session.add_whole(GOOD)
    malicious, good = session.run()
    assert malicious.error is not None or malicious.array.shape[:2] == (rows, columns)
    np.testing.assert_array_equal(good.array, GOOD.source)
