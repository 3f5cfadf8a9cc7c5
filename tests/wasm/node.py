"""Runs the codecs as Node does, one process for many jobs."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.patience import WAIT_S
from wasm.codestreams import level_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm.codestreams import Encoded, Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

HANG = "Hang"
"""The error of a job that did not come to an end."""

Job = dict[str, Any]


def node() -> str:
    """The interpreter; skips where there is none, or no codec package."""
    found = shutil.which("node")
    if found is None or not (ROOT / "node_modules" / "@cornerstonejs" / "codec-openjpeg").is_dir():
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
    cells: np.ndarray | None = None
    is_rounded: bool = False


@dataclass(slots=True)
class Session:
    """Jobs carried out in the order they were added, on one instance of each codec."""

    folder: Path
    codec: str = "openjph"
    jobs: list[Job] = field(default_factory=list)

    def add(
        self,
        stream: bytes,
        level: int,
        levels: int,
        image: Image,
        stop: int | None = None,
        codec: str | None = None,
    ) -> int:
        """Append the decode of one level from the bytes before ``stop``; gives its index."""
        index = len(self.jobs)
        source = self.folder / f"{index}.stream"
        source.write_bytes(stream[:stop])
        pixels = str(self.folder / f"{index}.raw")
        job = {"source": str(source), "pixels": pixels, "codec": codec or self.codec}
        self.jobs.append({**job, "level": level, "levels": levels, "image": image})
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

    def run(
        self, *, max_samples: int | None = None, alternatives: bool = False, traps: bool = False
    ) -> list[Answer]:
        """Start Node, give it all jobs, read what it wrote.

        ``alternatives``: as in the worker, OpenJPEG is asked where OpenJPH refuses. Unless
        ``traps``, a codec that broke fails the test.
        """
        said = run_jobs(self.jobs, max_samples=max_samples, alternatives=alternatives)
        answers = [_answer(job, each) for job, each in zip(self.jobs, said, strict=True)]
        assert traps or not any(" broke: " in (answer.message or "") for answer in answers)
        return answers


def run_jobs(
    jobs: Sequence[Job], *, max_samples: int | None = None, alternatives: bool = True
) -> list[Job]:
    """The answer to each job; a job that hangs is ended, and the ones after it run anew.

    ``limit_s`` of a job: it hangs when nothing comes for so long after the answer before its own.
    """
    said: list[Job] = []
    while len(said) < len(jobs):
        order = {"maxSamples": max_samples, "alternatives": alternatives, "jobs": jobs[len(said) :]}
        said += _run_until_hang(order)
    return said


def _run_until_hang(order: Job) -> list[Job]:
    process = subprocess.Popen(
        [node(), str(HERE / "run.js")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_read_lines, args=(process, json.dumps(order), lines))
    reader.start()
    said: list[Job] = []
    try:
        for job in order["jobs"]:
            line = lines.get(timeout=job.get("limit_s", WAIT_S))
            assert line, process.stderr.read()
            said.append(json.loads(line))
    except queue.Empty:
        said.append({"error": {"type": HANG, "message": "no end"}, "heapBytes": 0})
    finally:
        process.kill()
        reader.join()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    return said


def _read_lines(process: subprocess.Popen[str], order: str, lines: queue.Queue[str]) -> None:
    process.stdin.write(order)
    process.stdin.close()
    for line in process.stdout:
        lines.put(line)
    lines.put("")


def read_pixels(job: Job, said: Job) -> np.ndarray:
    """The picture of one answer: rows, columns and, if there are several, samples."""
    flat = np.fromfile(job["pixels"], said["type"].removesuffix("Array").lower())
    shape = (said["rows"], said["columns"], said["samplesPerPixel"])
    return flat.reshape(shape if shape[2] > 1 else shape[:2])


def _answer(job: Job, said: Job) -> Answer:
    if "error" in said:
        error = said["error"]
        return Answer(None, None, error["type"], error["message"], said["heapBytes"])
    array = read_pixels(job, said)
    cells = None
    if said.get("cells"):
        kind = said["cells"].removesuffix("Array").lower()
        cells = np.fromfile(f"{job['pixels']}.cells", kind).reshape(array.shape)
    digest = hashlib.sha256(array).hexdigest()
    return Answer(array, digest, None, None, said["heapBytes"], cells, said.get("isRounded", False))
