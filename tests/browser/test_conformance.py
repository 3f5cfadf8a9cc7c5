"""Every real file through the page, by the source that reads it: equal, refused, never wrong.

With FIRSTLIGHT_WRITE_DOCS=1 in the environment it writes docs/conformance.md too.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from browser.conftest import Viewer
from support.recording_server import RecordingServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/conformance.md"
FILE_LIMIT_MS = 20_000
MAX_FRAMES_COMPARED = 60
BATCH = 25

LOAD_ALL = """
async ([names, limitMs, maxFrames]) => {
    const viewer = document.querySelector('firstlight-viewer');
    const hex = (buffer) => [...new Uint8Array(buffer)]
        .map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const settled = () => new Promise((resolve) => {
        const timer = setTimeout(() => resolve({ hang: true }), limitMs);
        const done = (result) => { clearTimeout(timer); resolve(result); };
        viewer.addEventListener('firstlight:complete', () => done({}), { once: true });
        viewer.addEventListener('firstlight:error', ({ detail }) => {
            if (detail.frameIndex === null) done({ error: detail.error.type });
        }, { once: true });
    });
    const load = async (src) => {
        const end = settled();
        viewer.src = src;
        const { hang, error } = await end;
        if (hang || error) return { hang, error };
        const states = viewer.state();
        const failed = states.find(({ error }) => error);
        if (failed) return { error: failed.error.type };
        const hashes = [];
        for (const { frameIndex } of states.slice(0, maxFrames)) {
            const { data } = await viewer.storedPixels(frameIndex);
            hashes.push(hex(await crypto.subtle.digest('SHA-256', data)));
        }
        return { hashes, frames: states.length };
    };
    const results = [];
    for (const name of names) results.push(await load(name));
    return results;
}
"""


def _cases(expected: dict) -> list[tuple[str, str, str]]:
    """Name, ``src`` and row of the table for every file that has pixels."""
    cases = []
    for name, record in sorted(expected.items()):
        if name.endswith(".dcm"):
            row = record.get("ts") or "no transfer syntax"
            cases.append((name, f"wadouri:data/{name}", row))
        elif name.endswith((".j2k", ".j2c", ".jph", ".jls")):
            cases.append((name, f"data/{name}", "bare codestream"))
    return cases


def _verdict(record: dict, name: str, result: dict) -> str:
    decoded = record.get("decoded") or {}
    if result.get("hang"):
        return "hang"
    if "error" in result:
        return f"refused: {result['error']}"
    known = decoded.get("frame1") or decoded.get("sha256")
    if known is None:
        return "shown, no reference"
    if known in result["hashes"]:
        return "equal"
    if not record.get("exact", True):
        return "lossy, not bit for bit"
    return "negative, shown" if name.startswith("negative/") else "wrong"


def _table(verdicts: dict[str, tuple[str, str]]) -> str:
    rows: dict[str, Counter[str]] = {}
    for row, verdict in verdicts.values():
        rows.setdefault(row, Counter())[verdict.split(":")[0]] += 1
    columns = ["equal", "lossy, not bit for bit", "shown, no reference", "refused"]
    columns += ["negative, shown", "wrong", "hang"]
    lines = [
        "# Conformance",
        "",
        "Every real file of the test set, decoded in the browser through the page and compared",
        "with the hash that independent decoders agree on. Written by",
        "`tests/browser/test_conformance.py`. Lossy streams that are not equal bit for bit are",
        "compared within their tolerance in `tests/wasm`. *Negative, shown*: a damaged or odd file",
        "that is shown nevertheless, with other pixels than the reference decoders give it.",
        "",
        f"| transfer syntax | files | {' | '.join(columns)} |",
        f"|---|{'---|' * (len(columns) + 1)}",
    ]
    for row in sorted(rows):
        counts = rows[row]
        cells = " | ".join(str(counts[column] or "") for column in columns)
        lines.append(f"| {row} | {counts.total()} | {cells} |")
    totals = sum(rows.values(), Counter())
    cells = " | ".join(f"**{totals[column]}**" for column in columns)
    lines.append(f"| all | **{totals.total()}** | {cells} |")
    lines += [
        "",
        "Refused, with the error that the page shows:",
        "",
        "| file | error |",
        "|---|---|",
    ]
    for name, (_, verdict) in sorted(verdicts.items()):
        if verdict.startswith("refused"):
            lines.append(f"| {name} | {verdict.removeprefix('refused: ')} |")
    return "\n".join(lines) + "\n"


def test_every_real_file(page, viewer_dist, shared_data):
    expected = json.loads((shared_data / "expected.json").read_text())
    cases = _cases(expected)
    verdicts: dict[str, tuple[str, str]] = {}
    with RecordingServer(shared_data, viewer_dist) as server:
        viewer = Viewer(page, server.url)
        viewer.open("data/wg04/CT1_JPH.dcm")
        viewer.wait_for("complete")
        for start in range(0, len(cases), BATCH):
            batch = cases[start : start + BATCH]
            sources = [src for _, src, _ in batch]
            results = page.evaluate(LOAD_ALL, [sources, FILE_LIMIT_MS, MAX_FRAMES_COMPARED])
            for (name, _, row), result in zip(batch, results, strict=True):
                verdicts[name] = (row, _verdict(expected[name], name, result))
    bad = {n: v for n, (_, v) in verdicts.items() if v in ("wrong", "hang")}
    assert not bad
    text = _table(verdicts)
    if os.environ.get("FIRSTLIGHT_WRITE_DOCS"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text
