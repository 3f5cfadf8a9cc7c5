"""JPEG 2000: every level from exactly its bytes, signs, and what the library says nothing of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from firstlight.j2k.index import read_index
from wasm.codestreams import Encoded, encode, image_of, picture
from wasm.frames import dicom_frames
from wasm.node import Session

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

REAL_FILES = [
    "wg04/CT1_J2KR.dcm",
    "wg04/NM1_J2KR.dcm",
    "wg04/VL1_J2KR.dcm",
    "wg04/US1_J2KI.dcm",
    "dicom/693_J2KI.dcm",
    "dicom/MR_small_jp2klossless.dcm",
    "dicom/TOSHIBA_J2K_SIZ1_PixRep0.dcm",
    "dicom/ELSCINT1_JP2vsJ2K.dcm",
]


def encode_part_1(source: np.ndarray, bits: int, levels: int = 3) -> Encoded:
    codestream = imagecodecs.jpeg2k_encode(
        source, codecformat="J2K", level=0, reversible=True, bitspersample=bits, resolutions=levels
    )
    return Encoded(bytes(codestream), source, bits)


CASES = {
    "u8": lambda: encode_part_1(picture(100, 75, 8), 8),
    "u12": lambda: encode_part_1(picture(131, 57, 12), 12),
    "u16": lambda: encode_part_1(picture(64, 96, 16), 16),
    "s8": lambda: encode_part_1(picture(100, 75, 8, signed=True), 8),
    "s12": lambda: encode_part_1(picture(90, 70, 12, signed=True), 12),
    "s16": lambda: encode_part_1(picture(99, 101, 16, signed=True), 16),
    "rgb8": lambda: encode_part_1(picture(100, 75, 8, samples=3), 8),
    "1x1": lambda: encode_part_1(picture(1, 1, 12), 12, levels=1),
    "high_throughput": lambda: encode(picture(200, 100, 12), 12),
}


def test_the_full_image_is_what_went_in(tmp_path: Path) -> None:
    session = Session(tmp_path, "openjpeg")
    cases = {name: case() for name, case in CASES.items()}
    for encoded in cases.values():
        session.add_whole(encoded)
    for (name, encoded), answer in zip(cases.items(), session.run(), strict=True):
        assert answer.array is not None, (name, answer.message)
        assert answer.array.dtype == encoded.source.dtype
        np.testing.assert_array_equal(answer.array, encoded.source)


def test_a_prefix_gives_its_level(shared_data: Path, tmp_path: Path) -> None:
    """Cut at the level's end; without the repair the library decodes none of them."""
    session = Session(tmp_path, "openjpeg")
    for name in REAL_FILES:
        frame = dicom_frames(shared_data / name)[0]
        start = frame.data.index(b"\xff\x4f\xff\x51")
        for level, end in enumerate(read_index(frame.data[start:]).level_ends):
            session.add(frame.data, level, frame.levels, frame.image, stop=start + end)
            session.add(frame.data, level, frame.levels, frame.image)
    answers = session.run()
    assert len(answers) > 60
    for prefix, whole in zip(answers[::2], answers[1::2], strict=True):
        assert prefix.array is not None, prefix.message
        np.testing.assert_array_equal(prefix.array, whole.array)


def test_a_prefix_cut_elsewhere_is_refused(tmp_path: Path) -> None:
    encoded = CASES["u12"]()
    ends = read_index(encoded.codestream).level_ends
    session = Session(tmp_path, "openjpeg")
    for stop in (2, 40, 60, ends[0] - 9, ends[-1] - 1000):
        session.add(encoded.codestream, encoded.levels, encoded.levels, encoded.image, stop=stop)
        session.add_whole(encoded)
    answers = session.run()
    for cut, whole in zip(answers[::2], answers[1::2], strict=True):
        assert cut.error in ("DecodeError", "MalformedCodestream"), cut.message
        np.testing.assert_array_equal(whole.array, encoded.source)


def test_padding_after_the_end_or_no_end_does_not_matter(tmp_path: Path) -> None:
    encoded = CASES["u12"]()
    whole = encoded.codestream
    session = Session(tmp_path, "openjpeg")
    for stream in (whole + b"\0", whole + bytes(4), whole[:-2], whole[:-2] + b"\0"):
        session.add(stream, encoded.levels, encoded.levels, encoded.image)
    for answer in session.run():
        np.testing.assert_array_equal(answer.array, encoded.source)


def test_the_bits_are_read_anew_where_signs_disagree(tmp_path: Path) -> None:
    signed = picture(70, 90, 13, signed=True)
    encoded = encode_part_1(signed.view("u2") & np.uint16(0x1FFF), 13)
    session = Session(tmp_path, "openjpeg")
    image = {**encoded.image, "pixelRepresentation": 1}
    session.add(encoded.codestream, encoded.levels, encoded.levels, image)
    np.testing.assert_array_equal(session.run()[0].array, signed)


def test_what_the_module_would_leave_out_is_refused(tmp_path: Path) -> None:
    session = Session(tmp_path, "openjpeg")
    for source in (picture(40, 30, 12, samples=3), picture(40, 30, 8, samples=4)):
        encoded = encode_part_1(source, 8 * source.dtype.itemsize)
        session.add_whole(encoded)
    assert {answer.error for answer in session.run()} == {"UnsupportedTransferSyntax"}


def test_no_decoder_hands_back_the_picture_before(tmp_path: Path) -> None:
    good = CASES["u12"]()
    damaged = bytearray(good.codestream)
    damaged[good.codestream.index(b"\xff\x52") + 10] = 200  # code-block width
    session = Session(tmp_path, "openjpeg")
    session.add_whole(good)
    session.add(bytes(damaged), good.levels, good.levels, good.image)
    assert session.run()[1].error == "DecodeError"


def test_openjpeg_is_asked_where_openjph_refuses(tmp_path: Path) -> None:
    """A Part 1 stream under the transfer syntax of HTJ2K; garbage and wrong sizes are not."""
    part_1 = CASES["u12"]()
    session = Session(tmp_path, "openjph")
    session.add_whole(part_1)
    session.add(b"<html>", 3, 3, part_1.image)
    session.add(part_1.codestream, 3, 3, image_of(part_1.source[:20], 12))
    decoded, garbage, other_size = session.run(alternatives=True)
    np.testing.assert_array_equal(decoded.array, part_1.source)
    assert (garbage.error, other_size.error) == ("MalformedCodestream", "DecodeError")
    assert "openjpeg" not in (garbage.message + other_size.message)
