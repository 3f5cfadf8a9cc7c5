"""The shared files as the page opens them, what each has to show, and the document that says so."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wasm import references
from wasm.conformance import EQUAL, NEAR, NO_REFERENCE, WRONG, Case, judge, load_cases
from wasm.frames import Frame, dicomweb_frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFUSED = "refused"
HANG = "hang"
VERDICTS = (EQUAL, NEAR, NO_REFERENCE, REFUSED, WRONG, HANG)

PART_10, PLAIN, DICOMWEB = "Part 10 (wadouri:)", "plain address", "DICOMweb (dicomweb:)"

NOT_IMAGES = {
    "metadata, indexes and bulk data of the DICOMweb tree": lambda name: (
        name.startswith("dicomweb/") and not name.endswith("/thumbnail")
    ),
    "thumbnails of the DICOMweb tree, which are rendered": lambda name: name.endswith("/thumbnail"),
    "pictures that others are compared with": lambda name: name.endswith(
        (".pgx", ".pgm", ".ppm", ".yuv")
    ),
    "lists, notes and licences": lambda name: name.endswith((".md", ".json", ".txt", "COPYRIGHT")),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that the page is asked to show; ``files`` of the set are in it."""

    name: str
    source: str
    src: str
    files: tuple[str, ...]
    case: Case

    @property
    def row(self) -> tuple[str, str]:
        return self.source, self.case.syntax


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it: one of `VERDICTS`, and the error or the difference."""

    word: str
    detail: str = ""


def load_shown(data: Path) -> Iterator[Shown]:
    """Every file with pixels by the source that reads it; DICOMweb by its series."""
    for case in load_cases(data):
        if case.name.startswith("dicomweb/") or case.resolutions_dropped:
            continue
        is_part_10 = case.name.endswith(".dcm")
        source = PART_10 if is_part_10 else PLAIN
        src = f"{'wadouri:' if is_part_10 else ''}data/{case.name}"
        yield Shown(case.name, source, src, (case.name,), case)
    for series in sorted((data / "dicomweb").glob("studies/*/series/*/instances")):
        yield _series(series.parent, data)


def _series(series: Path, data: Path) -> Shown:
    frames: list[Frame] = []
    files = []
    for folder in sorted(series.glob("instances/*/frames")):
        frames += dicomweb_frames(folder.parent)
        files += [str(path.relative_to(data)) for path in folder.iterdir()]
    name = str(series.relative_to(data))
    codecs = sorted({frame.codec for frame in frames})
    case = Case(name, ", ".join(codecs), tuple(frames), {})
    return Shown(name, DICOMWEB, f"dicomweb:data/{name}", tuple(files), case)


def pictures_of(result: dict[str, Any]) -> list[np.ndarray]:
    """The stored values that the page gave, rows by columns by samples if there are several."""
    pictures = []
    for frame in result["frames"]:
        kind = frame["type"].removesuffix("Array").lower()
        flat = np.frombuffer(base64.b64decode(frame["data"]), kind)
        shape = (frame["rows"], frame["columns"], frame["samplesPerPixel"])
        pictures.append(flat.reshape(shape if shape[2] > 1 else shape[:2]))
    return pictures


def is_published(shown: Shown, result: dict[str, Any]) -> bool:
    """Whether the hashes of what is shown are those that the set publishes."""
    facts, frames = shown.case.facts, result["frames"]
    if decoded := facts.get("decoded"):
        if decoded.get("frames", 1) == len(frames):
            return bool(result["sha256"] == decoded["sha256"])
        return bool(frames and frames[0]["sha256"] == decoded.get("frame1"))
    published = [component.get("sha256") for component in facts.get("comps", ())]
    return bool(published) and len(frames) == 1 and frames[0]["components"] == published


def verdict_of(shown: Shown, pictures: list[np.ndarray], data: Path) -> Verdict:
    """Judge pixels that have no published hash, or are not equal to it."""
    case = shown.case
    if shown.source == DICOMWEB:
        return _judge_in_any_order(case, pictures)
    if case.unreadable and not case.facts.get("decoded"):
        return Verdict(NO_REFERENCE, f"{case.unreadable} (pydicom)")
    word, detail = judge(case, pictures, data)
    if word == WRONG and len(pictures) > 1:
        return _judge_in_any_order(case, pictures)
    return Verdict(word, detail)


def _judge_in_any_order(case: Case, pictures: list[np.ndarray]) -> Verdict:
    """Every frame once; frames with positions are displayed in their order, not the file's."""
    right = Counter(_digest(references.independent(frame)) for frame in case.frames)
    found = Counter(_digest(picture) for picture in pictures)
    differing = (right - found).total() + (found - right).total()
    return Verdict(WRONG, f"{differing} frames differ") if differing else Verdict(EQUAL)


def _digest(picture: np.ndarray) -> str:
    return references.digest(picture, 8 * picture.dtype.itemsize)


def not_images(data: Path, images: set[str]) -> dict[str, int]:
    """How many files of the set are no images, by what they are; every file is one or the other."""
    counts: Counter[str] = Counter()
    for path in data.rglob("*"):
        name = str(path.relative_to(data))
        if path.is_file() and name not in images:
            kind = next((kind for kind, is_it in NOT_IMAGES.items() if is_it(name)), None)
            assert kind is not None, name
            counts[kind] += 1
    return dict(counts)


def document(verdicts: dict[str, tuple[Shown, Verdict]], others: dict[str, int]) -> str:
    """`docs/conformance.md`."""
    lines = [
        "# Conformance",
        "",
        "Every file of the test set, opened in the browser by the source that reads it, all frames",
        "compared: with the hashes that the set publishes, else with what an independent decoder",
        "makes of them, or with the reference pictures and limits of ISO/IEC 15444-4.",
        "*Within tolerance*: lossy, up to 1 (8 bits) or 2 off, or within those limits. The counts",
        "are of files. Written by `tests/browser/test_conformance.py`.",
        "",
        f"| source | syntax | files | {' | '.join(VERDICTS)} |",
        f"|---|---|{'---|' * (len(VERDICTS) + 1)}",
        *_rows(verdicts),
        "",
        f"Not images, {sum(others.values())} files:",
        "",
        *(f"- {count}: {kind}" for kind, count in sorted(others.items())),
    ]
    for word, heading in (
        (REFUSED, "Refused, with the error that the page shows:"),
        (NO_REFERENCE, "Decoded, though no other decoder here reads them:"),
    ):
        found = [(name, v) for name, (_, v) in sorted(verdicts.items()) if v.word == word]
        if found:
            lines += ["", heading, "", "| file | |", "|---|---|"]
            lines += [f"| {name} | {verdict.detail} |" for name, verdict in found]
    return "\n".join(lines) + "\n"


def _rows(verdicts: dict[str, tuple[Shown, Verdict]]) -> list[str]:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for shown, verdict in verdicts.values():
        counts.setdefault(shown.row, Counter())[verdict.word] += len(shown.files)
    rows = []
    for (source, syntax), found in sorted(counts.items()):
        cells = " | ".join(str(found[word] or "") for word in VERDICTS)
        rows.append(f"| {source} | {syntax} | {found.total()} | {cells} |")
    total = sum(counts.values(), Counter[str]())
    cells = " | ".join(f"**{total[word]}**" for word in VERDICTS)
    return [*rows, f"| all | | **{total.total()}** | {cells} |"]
