"""What the user interface says of a frame, a plane and a timeline: its pure parts, run in node."""

from __future__ import annotations

import numpy as np
import pytest

from support.web_modules import needs_node, run

pytestmark = [pytest.mark.node, needs_node]

RECORD = {"rows": 512, "columns": 512, "lossy_image_compression": False}
FULL = {"columns": 512, "rows": 512, "resolutionLevel": 5, "decompositionLevels": 5}
COARSE = {"columns": 64, "rows": 64, "resolutionLevel": 2, "decompositionLevels": 5}


def state(status: str, **more: object) -> dict:
    levels = {"resolutionLevel": None, "decompositionLevels": None}
    return {"frameIndex": 41, "status": status, "error": None, **levels, **more}


def mark(frame: dict | None, now: dict, record: dict = RECORD, **options: object) -> tuple:
    given = {"state": now, "record": record, "frame": frame, "options": options}
    body = """const { state, record, frame, options } = given;
        return web.describe(state, record, frame ?? undefined, options);"""
    said = run("ui/mark.js", body, given)
    return said["kind"], f"{said['text']} | {said['detail']}".removesuffix(" | ")


@pytest.mark.parametrize(
    ("frame", "now", "expected"),
    [
        (None, state("waiting"), ("loading", "Loading")),
        (COARSE, state("loading"), ("loading", "Loading · 64 px of 512 | level 2/5")),
        (FULL, state("loading"), ("loading", "Full resolution | level 5/5")),
        (
            FULL,
            state("loading", quality="LOSSY"),
            ("loading", "Loading · lossy so far | level 5/5"),
        ),
        (FULL, state("lossless"), ("lossless", "Lossless")),
        (FULL, state("complete"), ("complete", "Final · lossy")),
        (
            FULL,
            state("configured", quality="LOSSY"),
            ("complete", "Complete as configured | lossy"),
        ),
        (
            COARSE,
            state("configured", quality="SUBRESOLUTION"),
            ("complete", "Complete as configured | reduced, 64 px of 512"),
        ),
        (
            COARSE,
            state("failed", error={"type": "HttpStatus"}),
            ("failed", "Failed: HttpStatus | showing 64 px of 512"),
        ),
    ],
)
def test_the_mark_says_what_is_shown(frame, now, expected):
    assert mark(frame, now) == expected


def test_a_coarse_picture_is_never_called_final():
    # the state may be ahead of the picture: what counts is what is on the screen
    for status in ("lossless", "complete"):
        assert mark(COARSE, state(status))[0] == "loading"


def test_the_mark_names_the_slice_that_stands_in():
    assert mark(COARSE, state("loading"), shownIndex=40) == (
        "replica",
        "Slice 41 shown | 42 is loading",
    )
    assert mark(COARSE, state("failed"), shownIndex=43)[1] == "Slice 44 shown | 42 has failed"
    assert mark(COARSE, state("retrying"), shownIndex=43)[1] == "Slice 44 shown | 42 is tried again"
    assert mark(COARSE, state("loading"), shownIndex=41)[0] == "loading"


def test_what_was_lossy_before_is_not_called_lossless():
    record = {**RECORD, "lossy_image_compression": True}
    assert mark(FULL, state("lossless"), record) == ("complete", "Final · lossy (source)")


def test_the_mark_counts_attempts():
    kind, text = mark(COARSE, state("retrying", attempts=2))
    assert kind == "retrying"
    assert text == "Trying again, 2 attempts so far | showing 64 px of 512"


def grade(now: dict) -> tuple[str, float]:
    found = run("ui/quality.js", "return web.gradeOf(given);", now)
    return found["grade"], found["part"]


def test_every_state_has_a_grade_of_its_own():
    levels = {"resolutionLevel": 2, "decompositionLevels": 5}
    assert grade(state("waiting")) == ("waiting", 0)
    assert grade(state("loading")) == ("waiting", 0)
    assert grade(state("waiting", replicaOf=3)) == ("replica", 0)
    assert grade(state("loading", replicaOf=3, **levels)) == ("reduced", 0.4)
    assert grade(state("retrying", **levels)) == ("retrying", 0.4)
    assert grade(state("lossless", **levels)) == ("lossless", 1)
    assert grade(state("complete", **levels)) == ("lossy", 1)
    assert grade(state("configured", **levels)) == ("lossy", 1)
    assert grade(state("failed", **levels)) == ("failed", 1)


def test_a_crowd_shows_its_worst_and_a_byte_says_all():
    body = """const bytes = web.GRADES.map((grade) => web.packed({ grade, part: 1 }));
        const coarse = web.packed({ grade: 'reduced', part: 0.2 });
        const fine = web.packed({ grade: 'reduced', part: 0.8 });
        return { bytes, coarse, fine, back: web.unpacked(coarse) };"""
    found = run("ui/quality.js", body)
    assert found["bytes"] == sorted(set(found["bytes"]))
    assert max(found["bytes"]) < 256
    assert found["coarse"] > found["fine"]
    assert found["back"]["grade"] == "reduced"
    assert found["back"]["part"] == pytest.approx(0.2, abs=0.02)


def plane(reversible: bool = True, **parts: float) -> tuple[str, str]:
    every = dict.fromkeys(["final", "reduced", "interpolated", "failed", "gap", "missing"], 0)
    given = {"quality": {**every, **parts}, "reversible": reversible}
    body = "return web.describePlane(given.quality, given.reversible);"
    said = run("ui/plane-mark.js", body, given)
    return said["kind"], f"{said['text']} | {said['detail']}".removesuffix(" | ")


def test_a_plane_says_what_part_of_it_is_final_guessed_or_missing():
    assert plane(final=1) == ("lossless", "Lossless")
    assert plane(final=1, reversible=False) == ("complete", "Final · lossy")
    assert plane(missing=1) == ("waiting", "Loading | nothing here yet")
    assert plane() == ("waiting", "Outside the volume")
    assert plane(final=0.3, reduced=0.2, interpolated=0.5) == (
        "loading",
        "Loading · 30 % final | 20 % coarse · 50 % interpolated",
    )
    assert plane(final=0.97, failed=0.03) == ("failed", "97 % final | 3 % failed")
    assert plane(final=0.97, gap=0.03)[0] == "replica"


def test_a_plane_with_a_sliver_unknown_is_not_called_whole():
    assert plane(final=0.999, interpolated=0.001) == (
        "loading",
        "Loading · 99 % final | < 1 % interpolated",
    )


REQUESTS = [
    {"url": "a", "status": 206, "bytes": 1000, "startedMs": 0, "openedMs": 10, "closedMs": 20},
    {"url": "b", "status": 206, "bytes": 3000, "startedMs": 5, "openedMs": 15, "closedMs": 40},
    {"url": "c", "status": 404, "bytes": 0, "startedMs": 50, "openedMs": 60, "closedMs": 60},
    {"url": "d", "status": 206, "bytes": 500, "startedMs": 80, "openedMs": 90, "closedMs": None},
]
DECODES = [
    {
        **{"frameIndex": 0, "resolutionLevel": 0, "decompositionLevels": 2},
        **{"startedMs": 20, "elapsedMs": 5},
    },
    {
        **{"frameIndex": 0, "resolutionLevel": 2, "decompositionLevels": 2},
        **{"startedMs": 22, "elapsedMs": 10},
    },
    {
        **{"frameIndex": 1, "resolutionLevel": 1, "decompositionLevels": 2},
        **{"startedMs": 26, "elapsedMs": 4},
    },
]


def test_totals_of_a_timeline():
    record = {
        "openedMs": -10,
        "requests": REQUESTS,
        "decodes": DECODES,
        "draws": [{"startedMs": 30, "elapsedMs": 2}],
    }
    totals = run("ui/timeline-model.js", "return web.totalsOf(given, 100);", record)
    assert totals["requests"] == 4
    assert totals["running"] == 1
    assert totals["failed"] == 1
    assert totals["bytes"] == 4500
    assert totals["firstPictureMs"] == 42
    assert totals["lastMs"] == 110
    # bytes arrived from 10 to 40 and from 90 to 100, within 10 to 100
    assert totals["busy"] == pytest.approx(40 / 90)
    assert totals["bitsPerSecond"] == pytest.approx(4500 * 8 / 0.090)


def test_decodes_that_overlap_have_lanes_of_their_own():
    body = "const { lane, count } = web.lanesOf(given); return { lane: [...lane], count };"
    assert run("ui/timeline-model.js", body, DECODES) == {"lane": [0, 1, 0], "count": 2}


def test_history_of_frames_only_improves():
    late = {**DECODES[0], "startedMs": 50}
    body = "return [...web.historyOf(given)].map(([frame, steps]) => [frame, steps]);"
    history = dict(run("ui/timeline-model.js", body, [late, *DECODES]))
    assert [step["atMs"] for step in history[0]] == [25, 32]
    assert [step["part"] for step in history[0]] == [0, 1]
    assert [step["full"] for step in history[1]] == [False]


def test_throughput_keeps_every_byte():
    body = "return [...web.throughput(given, 0, 100, 40, 100)];"
    rates = np.array(run("ui/timeline-model.js", body, REQUESTS))
    assert rates.sum() * 2.5 / 1000 == pytest.approx(4500)
    assert (rates >= 0).all()
