"""Runs the codec as Node does."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wasm.codestreams import level_ends

if TYPE_CHECKING:
    from wasm.codestreams import Encoded, Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def node() -> str:
    """The interpreter; skips where there is none, or no codec package."""
    found = shutil.which("node")
    if found is None or not (ROOT / "node_modules" / "@cornerstonejs" / "codec-openjph").is_dir():
        pytest.skip("needs node and the codec packages: npm run setup")
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What the codec made of one job: an array with its type, or the type of an error."""

    array: np.ndarray | None
    sha256: str | None
    error: str | None
    message: str | None
    heap_bytes: int


@dataclass(slots=True)
class Session:
    """Jobs for one codec instance, carried out in the order they were added."""

    folder: Path
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, codestream: bytes, level: int, levels: int, image: Image, stop: int | None = None
    ) -> int:
        """Append the decode of one level from the bytes before ``stop``; gives its index."""
        index = len(self.jobs)
        source = self.folder / f"{index}.j2c"
        source.write_bytes(codestream[:stop])
        pixels = str(self.folder / f"{index}.raw")
        job = {"source": str(source), "level": level, "levels": levels, "image": image}
        self.jobs.append({**job, "pixels": pixels})
        return index

    def add_whole(self, encoded: Encoded) -> int:
        """Append the decode of the full image."""
        return self.add(encoded.codestream, encoded.levels, encoded.levels, encoded.image)

    def add_levels(self, codestream: bytes, levels: int, image: Image) -> slice:
        """Append every level, the smallest first, each from the bytes it needs and no more."""
        first = len(self.jobs)
        for level, end in enumerate(level_ends(codestream, levels)):
            self.add(codestream, level, levels, image, stop=end)
        return slice(first, len(self.jobs))

    def run(self, *, max_samples: int | None = None) -> list[Answer]:
        """Start Node, give it all jobs, read what it wrote."""
        order = {"maxSamples": max_samples, "jobs": self.jobs}
        done = subprocess.run(
            [node(), str(HERE / "decode.js")],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        return [_answer(job, each) for job, each in zip(self.jobs, said, strict=True)]


def _answer(job: dict[str, Any], said: dict[str, Any]) -> Answer:
    if "error" in said:
        return Answer(None, None, said["error"], said["message"], said["heapBytes"])
    flat = np.fromfile(job["pixels"], said["type"].removesuffix("Array").lower())
    shape = (said["rows"], said["columns"], said["samplesPerPixel"])
    array = flat.reshape(shape if shape[2] > 1 else shape[:2])
    return Answer(array, said["sha256"], None, None, said["heapBytes"])
