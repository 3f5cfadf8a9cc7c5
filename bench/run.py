"""The command behind `npm run bench`: runs scenarios, prints a table, writes JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError

from bench.browser import Chromium
from bench.data import ROOT, Target, ensure_data, read_target
from bench.link import NETWORKS
from bench.observation import NotSeen
from bench.peers import PEERS, STREAMING, Peer
from bench.results import Run, markdown, summarise
from bench.scenarios import SCENARIOS
from bench.setting import PageFailed, Setting

TARGETS = ("image", "series", "warmup")


def main() -> int:
    options = _options()
    data: Path = options.data or ensure_data()
    targets = {name: read_target(data, name) for name in TARGETS}
    with Chromium() as chromium:
        runs = _run_all(options, chromium, data, targets)
        facts = _facts(chromium, targets)
    summary = summarise(runs, targets)
    out: Path = options.out or ROOT / "bench" / "results" / f"{facts['date']}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    record = facts | {"summary": summary, "runs": [asdict(run) for run in runs]}
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(markdown(summary))
    _say(f"written: {out}")
    lost = sum(run.void or run.failure is not None for run in runs)
    if lost:
        _say(f"{lost} of {len(runs)} runs are void or failed; the medians lack them")
    return 1 if lost else 0


def _run_all(
    options: argparse.Namespace, chromium: Chromium, data: Path, targets: dict[str, Target]
) -> list[Run]:
    """Peers alternate within a repetition: what the machine does meanwhile hits them all."""
    windows: dict[str, tuple[int, int]] = {}
    runs = []
    for network in options.network:
        for name in options.scenario:
            for repetition in range(1, options.repeat + 1):
                for peer in _peers(options.peer, name):
                    setting = Setting(chromium, data, targets, peer, network, windows=windows)
                    runs.append(_run(setting, name, repetition))
    return runs


def _run(setting: Setting, name: str, repetition: int) -> Run:
    scenario = SCENARIOS[name]
    network, peer = setting.network, setting.peer.name
    started_s = time.monotonic()
    try:
        metrics = scenario.measure(setting, setting.targets[scenario.target])
    except (PageFailed, NotSeen, PlaywrightError) as error:
        failure = f"{type(error).__name__}: {error}"
        _say(f"{network} {name} {repetition} {peer}: FAILED, {failure}")
        return Run(name, network, peer, repetition, setting.mbit_s, setting.void, failure, {})
    took_s, rate = time.monotonic() - started_s, setting.mbit_s
    shown = ", ".join(f"{key} {metrics[key]:.0f}" for key in metrics if key.endswith("_ms"))
    void = " VOID" if setting.void else ""
    _say(f"{network} {name} {repetition} {peer} ({took_s:.0f} s): {rate:.1f} Mbit/s{void}; {shown}")
    return Run(name, network, peer, repetition, rate, setting.void, None, metrics)


def _peers(names: list[str], scenario: str) -> list[Peer]:
    peers = [PEERS[name] for name in names]
    if SCENARIOS[scenario].ours_only:
        peers = [peer for peer in peers if peer.is_firstlight]
    return [peer for peer in peers if peer != STREAMING or SCENARIOS[scenario].with_streaming]


def _facts(chromium: Chromium, targets: dict[str, Target]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "date": now.strftime("%Y-%m-%dT%H-%M-%SZ"),
        "versions": {
            "firstlight": _version(ROOT / "package.json"),
            "cornerstone3D": _version(ROOT / "bench/node_modules/@cornerstonejs/core/package.json"),
            "chromium": chromium.version,
            "python": platform.python_version(),
        },
        "machine": {
            "platform": platform.platform(),
            "cpus": os.cpu_count(),
            "load_averages": os.getloadavg(),
        },
        "data": {
            name: {"frames": len(target.frame_bytes), "bytes": target.total_bytes}
            | {"first_level_ends": target.level_ends[0]}
            for name, target in targets.items()
        },
    }


def _version(package: Path) -> str | None:
    return json.loads(package.read_text())["version"] if package.is_file() else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run bench --", description=__doc__)

    def add(name: str, known: list[str], default: list[str], what: str) -> None:
        parser.add_argument(
            name,
            type=lambda text: _names(text, known),
            default=default,
            help=f"{what}, comma-separated: {', '.join(known)} (default: {','.join(default)})",
        )

    add("--scenario", list(SCENARIOS), list(SCENARIOS), "what to measure")
    add("--network", list(NETWORKS), ["4g"], "behind which links")
    add("--peer", list(PEERS), list(PEERS), "whom to measure")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--data", type=Path, help="folder with prepared trees, instead of our own")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: bench/results/)")
    options = parser.parse_args()
    unbuilt = [name for name in options.peer if not PEERS[name].page_folder.is_dir()]
    if unbuilt:
        parser.error(f"the page of {', '.join(unbuilt)} is not built: npm run bench builds it")
    return options


def _names(text: str, known: list[str]) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there is {', '.join(known)}")
    return names


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
