"""Every frame of the shared files through the codecs as the decoder worker has them, and judged.

``python tests/wasm/conformance.py`` (with ``tests`` on the path) prints the tables.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wasm import references
from wasm.frames import Frame, dicom_frames, dicomweb_frames, jpeg_ls_frame, raw_frame
from wasm.node import read_pixels, run_jobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wasm.node import Job

EQUAL = "equal"
NEAR = "within tolerance"
REFUSED = "refused"
NO_REFERENCE = "decoded, nothing to compare with"
NOT_READ = "not an image that can be read"
WRONG = "wrong"
VERDICTS = (EQUAL, NEAR, REFUSED, NO_REFERENCE, NOT_READ, WRONG)

PIXELS_IN_FLIGHT = 60_000_000
"""Samples that lie on disk between the decoders and the judge."""


@dataclass(frozen=True, slots=True)
class Case:
    """One file, or one level of it, and what is known of the right answer."""

    name: str
    syntax: str
    frames: tuple[Frame, ...]
    facts: dict[str, Any]
    resolutions_dropped: int = 0
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: a verdict, and the error or the difference."""

    case: Case
    verdict: str
    detail: str = ""


def load_cases(data: Path) -> Iterator[Case]:
    """A case for each file that holds pixels, and for each lower level with a known answer."""
    expected: dict[str, dict[str, Any]] = json.loads((data / "expected.json").read_text())
    for name, facts in expected.items():
        if name.startswith("dicomweb/") or not _may_hold_pixels(name):
            continue
        case = _case_of_file(data / name, name, facts)
        yield case
        if case.unreadable is None:
            for dropped in facts.get("reduced", {}):
                yield Case(name, case.syntax, case.frames[:1], facts, int(dropped))
    for folder in sorted((data / "dicomweb").glob("studies/*/series/*/instances/*/frames")):
        frames = tuple(dicomweb_frames(folder.parent))
        name = f"dicomweb/{folder.parent.name}"
        yield Case(name, f"DICOMweb, {frames[0].codec}", frames, {"independent": True})


def _may_hold_pixels(name: str) -> bool:
    is_reference = "/references/" in name or name.endswith((".pgx", ".txt"))
    return not is_reference and not name.endswith(("COPYRIGHT", "cases.json"))


def _case_of_file(path: Path, name: str, facts: dict[str, Any]) -> Case:
    syntax = facts.get("ts") or _raw_syntax(facts)
    try:
        frames = tuple(_frames_of_file(path, facts))
    except Exception as error:  # the reader of the files is not what is tested here
        return Case(name, syntax, (), facts, unreadable=f"{type(error).__name__}: {error}"[:100])
    return Case(name, syntax, frames, facts, unreadable=None if frames else "no frames")


def _raw_syntax(facts: dict[str, Any]) -> str:
    codestream = facts.get("cs", {})
    if "near" in codestream:
        return "raw JPEG-LS"
    if "levels" in codestream:
        return "raw HTJ2K" if codestream.get("ht") else "raw JPEG 2000"
    return "unknown"


def _frames_of_file(path: Path, facts: dict[str, Any]) -> Iterable[Frame]:
    codestream = facts.get("cs")
    if codestream is None or path.suffix == ".dcm":
        return dicom_frames(path)
    data = path.read_bytes()
    if "near" in codestream:
        return [jpeg_ls_frame(data, codestream)]
    return [raw_frame(data, codestream, facts.get("comps") or _components_of(codestream))]


def _components_of(codestream: dict[str, Any]) -> list[dict[str, Any]]:
    width, height = codestream["w"], codestream["h"]
    return [
        {"w": -(-width // across), "h": -(-height // down), "prec": precision, "signed": signed}
        for precision, signed, (across, down) in zip(
            codestream["prec"], codestream["signed"], codestream["sub"], strict=True
        )
    ]


def run_cases(cases: Iterable[Case], data: Path, folder: Path) -> list[Outcome]:
    """Decode and judge in batches, so that the decoded pixels never fill the disk."""
    outcomes: list[Outcome] = []
    batch: list[Case] = []
    samples = 0
    for case in cases:
        if case.unreadable is not None:
            outcomes.append(Outcome(case, NOT_READ, case.unreadable))
            continue
        batch.append(case)
        samples += sum(_samples_of(frame) for frame in case.frames)
        if samples > PIXELS_IN_FLIGHT:
            outcomes += _run_batch(batch, data, folder)
            batch, samples = [], 0
    return outcomes + _run_batch(batch, data, folder)


def _samples_of(frame: Frame) -> int:
    image = frame.image
    return image["rows"] * image["columns"] * image["samplesPerPixel"]


def _run_batch(cases: Sequence[Case], data: Path, folder: Path) -> list[Outcome]:
    source = folder / "frames.bin"
    jobs: list[Job] = []
    with source.open("wb") as file:
        for case in cases:
            for frame in case.frames:
                jobs.append(_job_of(case, frame, source, file.tell(), len(jobs)))
                file.write(frame.data)
    answers = iter(zip(jobs, run_jobs(jobs), strict=True))
    return [_outcome(case, [next(answers) for _ in case.frames], data) for case in cases]


def _job_of(case: Case, frame: Frame, source: Path, start: int, index: int) -> Job:
    return {
        "source": str(source),
        "start": start,
        "stop": start + len(frame.data),
        "pixels": str(source.with_name(f"{index}.raw")),
        "codec": frame.codec,
        "level": frame.levels - case.resolutions_dropped,
        "levels": frame.levels,
        "image": frame.image,
    }


def _outcome(case: Case, answers: list[tuple[Job, Job]], data: Path) -> Outcome:
    for _, said in answers:
        if "error" in said:
            return Outcome(case, REFUSED, f"{said['error']['type']}: {said['error']['message']}")
    pictures = [read_pixels(job, said) for job, said in answers]
    for job, _ in answers:
        Path(job["pixels"]).unlink()
    verdict, detail = judge(case, pictures, data)
    return Outcome(case, verdict, detail)


def judge(case: Case, pictures: list[np.ndarray], data: Path) -> tuple[str, str]:
    """Compare with the published answer, or else with an independent decoder's."""
    facts = case.facts
    if case.resolutions_dropped > 0:
        return _judge_reduced(case, pictures[0])
    if facts.get("exact", True) and facts.get("decoded"):
        return _judge_by_hash(case, pictures)
    if facts.get("exact", True) and facts.get("comps"):
        bits = case.frames[0].image["bitsStored"]
        found = [references.digest(each, bits) for each in references.components(pictures[0])]
        is_equal = found == [component["sha256"] for component in facts["comps"]]
        return (EQUAL, "") if is_equal else (WRONG, "another hash")
    if facts.get("limits"):
        folder = data / case.name
        outside = references.outside_limits(
            pictures[0], facts["limits"], folder.with_name("references")
        )
        return (NEAR, "") if outside is None else (WRONG, outside)
    return _judge_by_decoder(case, pictures)


def _judge_by_hash(case: Case, pictures: list[np.ndarray]) -> tuple[str, str]:
    decoded = case.facts["decoded"]
    # two files hold more frames than Number of Frames says; what it says is what a viewer shows
    is_all = decoded.get("frames", 1) == len(pictures)
    samples = np.concatenate([picture.ravel() for picture in pictures])
    found = references.digest(samples, case.frames[0].image["bitsAllocated"])
    is_equal = found == decoded["sha256" if is_all else "frame1"]
    return (EQUAL, "") if is_equal else (WRONG, "another hash")


def _judge_reduced(case: Case, picture: np.ndarray) -> tuple[str, str]:
    bits, signed = case.facts["cs"]["prec"][0], case.facts["cs"]["signed"][0]
    low = -(1 << (bits - 1)) if signed else 0
    values = picture.astype(np.int32)
    if signed != case.frames[0].image["pixelRepresentation"]:
        values = ((values - low) & ((1 << bits) - 1)) + low  # the published ones are as SIZ says
    clamped = np.clip(values, low, low + (1 << bits) - 1)  # below the full image it overshoots
    found = [references.digest(each, bits)[:32] for each in references.components(clamped)]
    expected = case.facts["reduced"][str(case.resolutions_dropped)]["comps_sha256_32"]
    return (EQUAL, "") if found == expected else (WRONG, "another hash")


def _judge_by_decoder(case: Case, pictures: list[np.ndarray]) -> tuple[str, str]:
    try:
        right = [references.independent(frame) for frame in case.frames]
    except Exception as error:  # nor can the other decoder
        return NO_REFERENCE, f"{type(error).__name__}: {error}"[:100]
    pairs = zip(pictures, right, strict=True)
    most = max(int(np.abs(a.astype(np.int64) - b).max()) for a, b in pairs)
    if most == 0:
        return EQUAL, ""
    allowed = 1 if case.frames[0].image["bitsStored"] <= 8 else 2
    is_lossy = case.facts.get("exact") is False
    return (NEAR if is_lossy and most <= allowed else WRONG), f"differs by up to {most}"


def table(outcomes: Iterable[Outcome]) -> str:
    """A Markdown table: how many files, or levels of them, of each syntax had which verdict."""
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        syntax = outcome.case.syntax
        if outcome.case.resolutions_dropped:
            syntax += ", lower levels"
        counts.setdefault(syntax, Counter())[outcome.verdict] += 1
    rows = [["transfer syntax", *VERDICTS], ["---"] * (len(VERDICTS) + 1)]
    rows += [
        [syntax, *(str(counts[syntax][verdict]) for verdict in VERDICTS)]
        for syntax in sorted(counts)
    ]
    total = sum(counts.values(), Counter())
    rows.append(["**all**", *(str(total[verdict]) for verdict in VERDICTS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Print the table, and each file that is not equal or within tolerance."""
    data = Path(__file__).resolve().parents[3] / "shared" / "data"
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_cases(load_cases(data), data, Path(folder))
    print(table(outcomes))
    for outcome in outcomes:
        if outcome.verdict not in (EQUAL, NEAR):
            case = outcome.case
            level = f" -{case.resolutions_dropped}" if case.resolutions_dropped else ""
            print(f"- {outcome.verdict}: {case.name}{level} ({case.syntax}): {outcome.detail}")


if __name__ == "__main__":
    main()
