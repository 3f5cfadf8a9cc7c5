"""From single runs to medians, ratios and tables."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.link import floor_ms
from bench.peers import FIRSTLIGHT, PEERS
from bench.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.data import Target
    from bench.metric import Metric


@dataclass(frozen=True)
class Run:
    """One visit: what was measured, and what the link carried just before."""

    scenario: str
    network: str
    peer: str
    repetition: int
    probe_mbit_s: float
    void: bool
    failure: str | None
    metrics: dict[str, float]


def summarise(runs: list[Run], targets: dict[str, Target]) -> list[dict[str, Any]]:
    """For each network, scenario, metric and peer: median, range and ratios; void runs left out."""
    return [
        row
        for network in _in_order(run.network for run in runs)
        for scenario in _in_order(run.scenario for run in runs)
        for metric in SCENARIOS[scenario].metrics
        for row in _rows(runs, network, scenario, metric, targets)
    ]


def _rows(
    runs: list[Run], network: str, scenario: str, metric: Metric, targets: dict[str, Target]
) -> list[dict[str, Any]]:
    chosen = [
        run
        for run in runs
        if (run.network, run.scenario, run.void) == (network, scenario, False)
        and metric.key in run.metrics
    ]
    target = targets[SCENARIOS[scenario].target]
    rows: list[dict[str, Any]] = []
    for peer in _in_order(run.peer for run in chosen):
        own = [run.metrics for run in chosen if run.peer == peer]
        values = [metrics[metric.key] for metrics in own]
        floors = [_floor(metric, network, target, metrics) for metrics in own]
        known = [floor for floor in floors if floor is not None]
        floor = median(known) if known else None
        row: dict[str, Any] = {"network": network, "scenario": scenario}
        row |= {"metric": metric.key, "peer": peer}
        row |= {"n": len(values), "median": median(values)}
        row |= {"min": min(values), "max": max(values), "floor_ms": floor}
        row["ratio_to_floor"] = row["median"] / floor if floor else None
        rows.append(row)
    return [row | {"ratio_to_incumbent": _ratio(row, rows)} for row in rows]


def _floor(metric: Metric, network: str, target: Target, metrics: dict[str, float]) -> float | None:
    if metric.floor_bytes is None:
        return None
    return floor_ms(network, metric.floor_bytes(target, metrics))


def _ratio(row: dict[str, Any], rows: list[dict[str, Any]]) -> float | None:
    """To the better of the incumbent's configurations; only Firstlight's rows have one."""
    others = [other["median"] for other in rows if other["peer"] != FIRSTLIGHT.name]
    if row["peer"] != FIRSTLIGHT.name or not others or min(others) <= 0:
        return None
    return float(row["median"] / min(others))


def markdown(summary: list[dict[str, Any]]) -> str:
    """One table for each network and scenario."""
    lines: list[str] = []
    for network in _in_order(row["network"] for row in summary):
        for scenario in _in_order(row["scenario"] for row in summary):
            rows = [r for r in summary if (r["network"], r["scenario"]) == (network, scenario)]
            if rows:
                title = SCENARIOS[scenario].title
                lines += [f"**{title}; {network}**", "", *_table(scenario, rows), ""]
    return "\n".join(lines)


def _table(scenario: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    peers = _in_order(row["peer"] for row in rows)
    labels = [PEERS[peer].label for peer in peers]
    yield f"| | wire floor | {' | '.join(labels)} | to the floor | to the incumbent |"
    yield "|---|" + "---:|" * (len(peers) + 3)
    for metric in SCENARIOS[scenario].metrics:
        cells = {row["peer"]: row for row in rows if row["metric"] == metric.key}
        if not cells:
            continue
        ours = cells.get(FIRSTLIGHT.name, {})
        values = [_cell(cells.get(peer), metric.unit) for peer in peers]
        floor = _number((ours or next(iter(cells.values())))["floor_ms"], "ms")
        ratios = [_times(ours.get(key)) for key in ("ratio_to_floor", "ratio_to_incumbent")]
        yield f"| {' | '.join([metric.label, floor, *values, *ratios])} |"


def _cell(row: dict[str, Any] | None, unit: str) -> str:
    if row is None:
        return "-"
    median_text, least, most = (_number(row[key], unit) for key in ("median", "min", "max"))
    if least == most:
        return f"**{median_text}**"
    return f"**{median_text}** [{least.removesuffix(f' {unit}')} .. {most}]"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "B":
        return f"{value / 1e6:.2f} MB" if value >= 1e6 else f"{value / 1e3:.1f} kB"
    digits = 1 if unit and value < 100 else 0
    return f"{value:.{digits}f} {unit}".rstrip()


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"x {ratio:.2f}"


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
