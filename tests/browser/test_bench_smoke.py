"""The bench's own half of two scenarios on small images: it runs, and says what it should."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from browser.dicom_files import smooth_noise, write_image
from firstlight.cli import app
from firstlight.serve.app import GZIP_LEVEL

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SIDES = {"image": [1024], "series": [256] * 6, "warmup": [128]}
TRAFFIC = {"data_bytes", "code_bytes", "requests"}
MEMORY = {"renderer_mb", "page_heap_mb", "python_heap_mb", "pixels_mb", "gpu_process_mb"}
IMAGE_TIMES = [
    ("first_event_ms", "first_pixels_ms"),
    ("screen_level_event_ms", "screen_level_pixels_ms"),
    ("final_event_ms", "final_pixels_ms"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    for seed, (name, sides) in enumerate(SIDES.items()):
        source = folder / "in" / name
        for number, side in enumerate(sides):
            pixels = smooth_noise(side, side, seed=seed * 10 + number, bits=12)
            write_image(source / f"{number}.dcm", pixels, series=name, number=number, bits=12)
        arguments = ["prepare", str(source), "--out", str(folder / name), "--jobs", "1"]
        result = CliRunner().invoke(app, [*arguments, "--layout", "dicomweb", "--quiet"])
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def result(data, viewer_dist) -> dict:
    out = data / "result.json"
    what = ["--scenario", "image,series", "--peer", "firstlight", "--network", "local"]
    command = [sys.executable, "-m", "bench.run", *what, "--repeat", "1"]
    command += ["--data", str(data), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text()) | {"printed": done.stdout}


def level_bytes(data: Path, name: str) -> int:
    """The descriptor, compressed as it is sent, and every frame to the end of its last level.

    The head of the frame that is looked at comes twice: it lies in one range with all others.
    """
    descriptor = (data / name / "firstlight.json").read_bytes()
    frames = json.loads(descriptor)["series"][0]["frames"]
    ends = sum(frame["level_ends"][-1] for frame in frames)
    head_stop = frames[0].get("heads", [[0, 0]])[-1][1]
    return len(gzip.compress(descriptor, GZIP_LEVEL, mtime=0)) + ends + head_stop


def metrics_of(result: dict, scenario: str) -> dict[str, float]:
    (run,) = [run for run in result["runs"] if run["scenario"] == scenario]
    assert (run["network"], run["peer"]) == ("local", "firstlight")
    assert (run["void"], run["failure"]) == (False, None)
    assert run["probe_mbit_s"] > 0
    return run["metrics"]


def test_image(data, result):
    metrics = metrics_of(result, "image")
    times = {name for pair in IMAGE_TIMES for name in pair}
    assert set(metrics) == times | TRAFFIC | MEMORY | {"drag_ms"}
    assert metrics["data_bytes"] == level_bytes(data, "image")
    assert metrics["requests"] >= 2
    assert all(0 < metrics[event] <= metrics[pixels] for event, pixels in IMAGE_TIMES)
    assert metrics["first_event_ms"] <= metrics["screen_level_event_ms"]
    assert metrics["screen_level_event_ms"] <= metrics["final_event_ms"]


def test_series(data, result):
    metrics = metrics_of(result, "series")
    times = {"first_pixels_ms", "every_frame_ms", "complete_event_ms", "complete_pixels_ms"}
    assert set(metrics) == times | TRAFFIC | MEMORY | {"scroll_ms", "scroll_worst_ms"}
    assert metrics["data_bytes"] == level_bytes(data, "series")
    assert metrics["first_pixels_ms"] <= metrics["complete_pixels_ms"]
    assert metrics["every_frame_ms"] <= metrics["complete_pixels_ms"]
    assert 0 < metrics["scroll_ms"] <= metrics["scroll_worst_ms"]


def test_summary_and_table(result):
    assert {"date", "versions", "machine", "data", "summary", "runs"} <= set(result)
    assert result["data"]["series"]["frames"] == len(SIDES["series"])
    measured = {(run["scenario"], key) for run in result["runs"] for key in run["metrics"]}
    assert {(row["scenario"], row["metric"]) for row in result["summary"]} == measured
    for row in result["summary"]:
        assert row["n"] == 1
        assert row["median"] == row["min"] == row["max"]
        # Nothing limits a local link, and nobody else was measured.
        assert row["floor_ms"] is row["ratio_to_floor"] is row["ratio_to_incumbent"] is None
    assert "one image, engine warm" in result["printed"]
    assert "| complete, lossless, event |" in result["printed"]
