"""The two kinds of drawing that the README shows, as SVG: bars over time, lines over a count."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH_PX: Final = 860
LABEL_PX: Final = 230
ROW_PX: Final = 17
MARGIN_PX: Final = 30
COLOURS: Final = {
    "code": "#7b8794",
    "python": "#4b8bbe",
    "data": "#c8873a",
    "decode": "#5a9e6f",
    "draw": "#a05a9e",
}
STYLE: Final = (
    "<style>text{font:11px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}"
    ".mark{stroke:#b03030;stroke-dasharray:3 3}</style>"
)


@dataclass(frozen=True)
class Bar:
    """One row, or a part of one where several have the same label; times in ms."""

    label: str
    kind: str
    start_ms: float
    end_ms: float
    note: str = ""


def waterfall(title: str, bars: Sequence[Bar], marks: Sequence[tuple[str, float]]) -> str:
    """Bars over time in the order of their labels' first start; ``marks`` are lines with a name."""
    labels = list(dict.fromkeys(bar.label for bar in sorted(bars, key=lambda bar: bar.start_ms)))
    end_ms = max([bar.end_ms for bar in bars] + [at for _, at in marks]) * 1.02
    scale = (WIDTH_PX - LABEL_PX - 4 * MARGIN_PX) / end_ms
    top = 2 * MARGIN_PX + ROW_PX * len(marks)
    height = top + ROW_PX * len(labels) + MARGIN_PX
    parts = [_text(0, 16, title)]
    for step in range(int(end_ms // _step_ms(end_ms)) + 1):
        x = LABEL_PX + step * _step_ms(end_ms) * scale
        parts.append(_line(x, top - 6, x, height - MARGIN_PX, "grid"))
        parts.append(_text(x, height - 12, f"{step * _step_ms(end_ms):.0f} ms"))
    for row, (name, at) in enumerate(sorted(marks, key=lambda mark: mark[1])):
        x = LABEL_PX + at * scale
        parts.append(_line(x, MARGIN_PX + ROW_PX * row, x, height - MARGIN_PX, "mark"))
        parts.append(_text(x + 3, MARGIN_PX + ROW_PX * row + 10, f"{name} {at:.0f} ms"))
    parts += [_text(0, top + ROW_PX * row + 12, label) for row, label in enumerate(labels)]
    for bar in bars:
        y = top + ROW_PX * labels.index(bar.label)
        x, width = LABEL_PX + bar.start_ms * scale, max(1.0, (bar.end_ms - bar.start_ms) * scale)
        note = f"<title>{escape(bar.note)}</title>"
        parts.append(
            f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW_PX - 5}"'
            f' fill="{COLOURS[bar.kind]}">{note}</rect>'
        )
    return _document(height, parts)


def lines(
    title: str, counts: Sequence[int], rows: Sequence[tuple[str, Sequence[float], str]]
) -> str:
    """One small chart for each row of values (name, values, unit) over the same counts."""
    chart_px, gap_px = 120, 50
    height = MARGIN_PX + (chart_px + gap_px) * len(rows)
    width = WIDTH_PX - LABEL_PX - 2 * MARGIN_PX
    parts = [_text(0, 16, title)]
    for index, (name, values, unit) in enumerate(rows):
        base = MARGIN_PX + (chart_px + gap_px) * index + chart_px
        most = max(*values, 1e-9)
        points = [
            (LABEL_PX + width * count / max(counts), base - (chart_px - 28) * value / most)
            for count, value in zip(counts, values, strict=True)
        ]
        parts += [
            _text(0, base - chart_px / 2, name),
            _line(LABEL_PX, base, WIDTH_PX, base, "grid"),
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS["python"]}"/>')
        for row, ((x, y), count, value) in enumerate(zip(points, counts, values, strict=True)):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS["python"]}"/>')
            shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            parts.append(_text(x - 12, y - 6 - 13 * (row % 2), f"{shown} {unit}".rstrip()))
            parts.append(_text(x - 8, base + 14, str(count)))
    return _document(height, parts)


def _step_ms(end_ms: float) -> float:
    return next(
        step for step in (50, 100, 250, 500, 1000, 2500, 10_000, 1e9) if end_ms / step <= 12
    )


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _document(height: float, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH_PX}" height="{height:.0f}" viewBox="0 0 {WIDTH_PX} {height:.0f}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{STYLE}\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )
