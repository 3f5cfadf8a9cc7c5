"""Pictures for the README: a cold start, and what grows with the number of frames.

python -m bench.charts waterfall|growth [--network 4g] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from bench.browser import Chromium, memory_metrics
from bench.data import ROOT, ensure_data, read_target
from bench.link import NETWORKS
from bench.observation import Observation
from bench.peers import FIRSTLIGHT
from bench.setting import Setting, wait_for, wait_until_seen
from bench.svg import Bar, lines, waterfall
from firstlight.j2k.index import read_index

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

FRAME_COUNTS: Final = (100, 500, 2000, 5000)
SMALL_PX: Final = 64
MARKS: Final = {"image": "first picture", "every-frame": "every slice", "ready": "Python"}


def main() -> int:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    with Chromium() as chromium:
        drawn = {"waterfall": _cold_start, "growth": _growth}[options.what]
        svg, record = drawn(chromium, options)
    record |= {"load_averages": os.getloadavg(), "network": options.network}
    (options.out / f"{options.what}.svg").write_text(svg)
    results = ROOT / "bench/results"
    results.mkdir(exist_ok=True)
    (results / f"{options.what}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    return 0


def _cold_start(chromium: Chromium, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The series, from navigation with empty caches to Python and its first own request."""
    network, data = options.network, options.data or ensure_data()
    targets = {"series": read_target(data, "series")}
    setting = Setting(chromium, data, targets, FIRSTLIGHT, network, windows={"series": (700, 700)})
    requests: list[Request] = []
    with setting.server() as server, setting.page(targets["series"]) as page:
        page.context.on("requestfinished", lambda request: requests.append(request))
        setting.navigate(page, server, targets["series"], "stack")
        wait_until_seen(page, "every-frame")
        wait_for(page, "bench.marked('ready') !== undefined")
        seen = Observation.of(page)
        until_ms = max(seen.event(name) for name in MARKS)
        bars = [
            _code_bar(request, seen.time_origin)
            for request in requests
            if "/data/" not in request.url
        ]
        bars += _work_bars(page, seen.time_origin)
    marks = [(label, seen.event(name)) for name, label in MARKS.items()]
    shown = [bar for bar in bars if bar.start_ms <= until_ms]
    record = {label: round(at) for label, at in marks} | {"probe_mbit_s": setting.mbit_s}
    return waterfall(f"A cold start over {network}", shown, marks), record


def _code_bar(request: Request, origin_ms: float) -> Bar:
    """A request of any thread; those for image data the transport itself has noted."""
    timing = request.timing
    start_ms = timing["startTime"] - origin_ms
    path = request.url.partition("?")[0]
    kind = "python" if "/py-" in path else "code"
    name = path.rsplit("/", 1)[-1] or "index.html"
    size = request.sizes()["responseBodySize"]
    end_ms = start_ms + max(0.0, timing["responseEnd"])
    return Bar(name[:34], kind, start_ms, end_ms, f"{name}: {size} bytes")


def _work_bars(page: Page, origin_ms: float) -> list[Bar]:
    done = page.evaluate("document.querySelector('firstlight-viewer').timeline()")
    bars = [
        Bar(
            request["url"].rsplit("/", 1)[-1][:34],
            "data",
            request["startedMs"] - origin_ms,
            (request["closedMs"] or request["startedMs"]) - origin_ms,
            f"{request['url']}: {request['bytes']} bytes",
        )
        for request in done["requests"]
    ]
    for kind, label in (("decode", "decodes"), ("draw", "draws")):
        for each in done[label]:
            start_ms = each["startedMs"] - origin_ms
            note = f"frame {each['frameIndex']}, level {each['resolutionLevel']}"
            bars.append(Bar(label, kind, start_ms, start_ms + each["elapsedMs"], note))
    return bars


def _growth(chromium: Chromium, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Series of small frames, opened in a cold page; and the scheduler alone, in Pyodide."""
    costs, network = _event_costs(), options.network
    pages = [_visit(chromium, network, count) for count in FRAME_COUNTS]
    rows = (
        ("an event, median", [cost["event_median_ms"] for cost in costs], "ms"),
        ("a jump, median", [cost["demand_median_ms"] for cost in costs], "ms"),
        ("every slice shown", [each["every_frame_ms"] for each in pages], "ms"),
        ("complete", [each["complete_ms"] for each in pages], "ms"),
        ("Python's heap", [each["python_heap_mb"] for each in pages], "MB"),
        ("page and workers", [each["renderer_mb"] for each in pages], "MB"),
    )
    title = f"By the number of frames ({SMALL_PX} x {SMALL_PX}, network: {network})"
    return lines(title, FRAME_COUNTS, rows), {"scheduler": costs, "page": pages}


def _event_costs() -> list[dict[str, float]]:
    harness = ROOT / "web/build/run-in-pyodide.js"
    script, world = ROOT / "bench/event_cost.py", ROOT / "tests/sim/world.py"
    counts = map(str, FRAME_COUNTS)
    command = [str(shutil.which("node")), str(harness), str(script), str(world), *counts]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _visit(chromium: Chromium, network: str, count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        _write_tree(Path(folder) / "series", count)
        targets = {"series": read_target(Path(folder), "series")}
        windows = {"series": (700, 700)}
        setting = Setting(chromium, Path(folder), targets, FIRSTLIGHT, network, windows=windows)
        with setting.server() as server, setting.page(targets["series"]) as page:
            setting.navigate(page, server, targets["series"], "stack")
            wait_until_seen(page, "every-frame")
            wait_until_seen(page, "complete")
            seen = Observation.of(page)
            times = {"every_frame_ms": seen.event("every-frame")}
            times |= {"complete_ms": seen.event("complete"), "ready_ms": seen.event("ready")}
            return {"frames": count, **times, **memory_metrics(page)}


def _write_tree(folder: Path, count: int) -> None:
    """A series of one small image many times, as `prepare` would write it, its heads included."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 4096, (SMALL_PX, SMALL_PX), np.uint16)
    frame = bytes(imagecodecs.htj2k_encode(noise, reversible=True, resolutions=2, bitspersample=12))
    ends = read_index(frame).level_ends
    (folder / "frames.bin").write_bytes(frame * count)
    (folder / "heads.bin").write_bytes(frame[: ends[0]] * count)
    image = {"rows": SMALL_PX, "columns": SMALL_PX, "bits_stored": 12}
    frames = [
        {
            "url": "frames.bin",
            "start": index * len(frame),
            "length": len(frame),
            "level_ends": ends,
            "heads": [[index * ends[0], ends[0]]],
        }
        for index in range(count)
    ]
    series = {
        "study_instance_uid": "1.2",
        "series_instance_uid": "1.2.3",
        "transfer_syntax_uid": "1.2.840.10008.1.2.4.202",
        "image": image,
        "heads": {"url": "heads.bin", "length": ends[0] * count},
        "frames": frames,
    }
    (folder / "firstlight.json").write_text(json.dumps({"firstlight": 1, "series": [series]}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.charts", description=__doc__)
    parser.add_argument("what", choices=["waterfall", "growth"])
    parser.add_argument("--network", choices=list(NETWORKS), default="4g")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/pictures")
    parser.add_argument("--data", type=Path, help="trees that bench.data made before")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
