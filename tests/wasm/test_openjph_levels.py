"""Every resolution level, from exactly its bytes, against OpenJPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from wasm.codestreams import Encoded, boxed, encode, picture, sample_range
from wasm.node import Answer, Session

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.node

CASES = {
    "u1": lambda: encode(picture(64, 64, 1), 1),
    "u8": lambda: encode(picture(100, 75, 8), 8),
    "u10": lambda: encode(picture(200, 300, 10), 10),
    "u12": lambda: encode(picture(257, 131, 12), 12),
    "u16": lambda: encode(picture(130, 130, 16), 16),
    "s8": lambda: encode(picture(100, 75, 8, signed=True), 8),
    "s12": lambda: encode(picture(512, 512, 12, signed=True), 12),
    "s16": lambda: encode(picture(99, 101, 16, signed=True), 16),
    "1x1": lambda: encode(picture(1, 1, 12), 12),
    "1x300": lambda: encode(picture(1, 300, 12), 12),
    "300x1": lambda: encode(picture(300, 1, 12), 12),
    "no_decomposition": lambda: encode(picture(40, 40, 12), 12, levels=0),
    "six_levels": lambda: encode(picture(600, 700, 12), 12, levels=6),
    "rgb8_rct": lambda: encode(picture(100, 75, 8, samples=3), 8, rgb=True),
    "rgb8": lambda: encode(picture(100, 75, 8, samples=3), 8, rgb=False),
    "two_samples": lambda: encode(picture(61, 83, 8, samples=2), 8, rgb=False, planar=False),
    "rgb16_rct": lambda: encode(picture(64, 96, 16, samples=3), 16, rgb=True),
    "rgb16": lambda: encode(picture(64, 96, 16, samples=3), 16, rgb=False),
    "four_samples": lambda: encode(picture(50, 60, 8, samples=4), 8, rgb=False),
    "tiles": lambda: encode(picture(300, 400, 12), 12, tile=(128, 128)),
    "tiles_rgb8": lambda: encode(picture(100, 150, 8, samples=3), 8, rgb=False, tile=(64, 64)),
    "blocks_32": lambda: encode(picture(200, 200, 12), 12, block_size=(32, 32)),
    "no_tile_parts": lambda: encode(picture(150, 150, 12), 12, tlm=False, tilepart=None),
}


LOSSY = "irreversible"


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Levels]:
    """All cases by one codec instance, as in a worker."""
    session = Session(tmp_path_factory.mktemp("levels"))
    encoded = {name: make() for name, make in CASES.items()}
    encoded[LOSSY] = encode(picture(300, 301, 12), 12, reversible=False, level=1 / 1024)
    places = {
        name: session.add_levels(each.codestream, each.levels, each.image)
        for name, each in encoded.items()
    }
    answers = session.run()
    return {name: Levels(each, answers[places[name]]) for name, each in encoded.items()}


@dataclass(frozen=True, slots=True)
class Levels:
    """A codestream and what became of its levels, the smallest first."""

    encoded: Encoded
    answers: list[Answer]

    @property
    def arrays(self) -> list[np.ndarray]:
        arrays = [answer.array for answer in self.answers if answer.array is not None]
        assert len(arrays) == len(self.answers), [answer.message for answer in self.answers]
        return arrays

    def reference(self, level: int) -> np.ndarray:
        """The level as OpenJPEG decodes it: it clamps an overshoot to the precision."""
        skip = self.encoded.levels - level
        return imagecodecs.jpeg2k_decode(self.encoded.codestream, skipres=skip)


@pytest.mark.parametrize("case", CASES)
def test_every_level_is_what_openjpeg_makes_of_it(case: str, decoded: dict[str, Levels]) -> None:
    levels = decoded[case]
    full = levels.arrays[-1]
    assert full.dtype == levels.encoded.source.dtype
    np.testing.assert_array_equal(full, levels.encoded.source)
    low, high = sample_range(levels.encoded.codestream)
    for level, array in enumerate(levels.arrays):
        reference = levels.reference(level).reshape(array.shape)
        np.testing.assert_array_equal(np.clip(array, low, high), reference, f"level {level}")


@pytest.mark.parametrize("case", ["u12", "s12"])
def test_an_overshoot_is_neither_clamped_nor_wrapped(case: str, decoded: dict[str, Levels]) -> None:
    levels = decoded[case]
    low, high = sample_range(levels.encoded.codestream)
    assert any(((array < low) | (array > high)).any() for array in levels.arrays)
    for level, array in enumerate(levels.arrays):
        skip = levels.encoded.levels - level
        native = imagecodecs.htj2k_decode(levels.encoded.codestream, skipres=skip)
        # the native library wraps what falls below zero; this codec clamps it there
        unwrapped = native.astype("i2") if array.dtype.kind == "u" else native
        np.testing.assert_array_equal(array, np.maximum(unwrapped, np.iinfo(array.dtype).min))


def test_the_irreversible_wavelet_is_within_one(decoded: dict[str, Levels]) -> None:
    levels = decoded[LOSSY]
    for level, array in enumerate(levels.arrays):
        difference = np.clip(array, 0, 4095).astype(int) - levels.reference(level).astype(int)
        assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("long_box", [False, True])
def test_a_jph_file_is_its_codestream(long_box: bool, tmp_path: Path) -> None:
    encoded = CASES["u12"]()
    session = Session(tmp_path)
    for stream in (encoded.codestream, boxed(encoded.codestream, long_box=long_box)):
        session.add(stream, encoded.levels, encoded.levels, encoded.image)
    bare, wrapped = session.run()
    assert bare.sha256 is not None
    assert bare.sha256 == wrapped.sha256
