"""Every file of the test set through the page: equal, within tolerance, refused; never wrong.

With FIRSTLIGHT_WRITE_DOCS=1 in the environment it writes docs/conformance.md too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from browser import conformance
from browser.conformance import HANG, REFUSED, WRONG, Shown, Verdict
from browser.conftest import Viewer
from support.recording_server import RecordingServer
from wasm.test_conformance import RIGHTLY_REFUSED

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/conformance.md"

FILE_LIMIT_MS = 60_000
BATCH = 25

LOAD = """
async ([names, limitMs, withPixels]) => {
    const viewer = document.querySelector('firstlight-viewer');
    const hashOf = async (bytes) =>
        [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
            .map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const base64 = (bytes) => {
        let text = '';
        for (let at = 0; at < bytes.length; at += 32768)
            text += String.fromCharCode(...bytes.subarray(at, at + 32768));
        return btoa(text);
    };
    const component = (data, sample, samples) => {
        const out = new data.constructor(data.length / samples);
        for (let i = 0; i < out.length; i++) out[i] = data[i * samples + sample];
        return out;
    };
    const refusal = ({ type, message }) => ({ error: type, message });
    const settled = () => new Promise((resolve) => {
        const timer = setTimeout(() => resolve({ hang: true }), limitMs);
        const done = (result) => { clearTimeout(timer); resolve(result); };
        viewer.addEventListener('firstlight:complete', () => done({}), { once: true });
        viewer.addEventListener('firstlight:error', ({ detail }) => {
            if (detail.frameIndex === null) done(refusal(detail.error));
        }, { once: true });
    });
    const frameOf = async ({ frameIndex }) => {
        const { data, rows, columns, samplesPerPixel } = await viewer.storedPixels(frameIndex);
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        const facts = { rows, columns, samplesPerPixel, type: data.constructor.name };
        if (withPixels) return { bytes, ...facts, data: base64(bytes) };
        const components = [];
        for (let sample = 0; sample < samplesPerPixel; sample++)
            components.push(await hashOf(component(data, sample, samplesPerPixel)));
        return { bytes, ...facts, sha256: await hashOf(bytes), components };
    };
    const load = async (src) => {
        const end = settled();
        viewer.src = src;
        const seen = await end;
        if (seen.hang || seen.error) return seen;
        const states = viewer.state();
        const failed = states.find(({ error }) => error);
        if (failed) return refusal(failed.error);
        const frames = [];
        for (const state of states) frames.push(await frameOf(state));
        const sha256 = await hashOf(await new Blob(frames.map(({ bytes }) => bytes)).arrayBuffer());
        for (const frame of frames) delete frame.bytes;
        return { frames, sha256 };
    };
    const results = [];
    for (const name of names) results.push(await load(name));
    return results;
}
"""


def _load(page: Any, shown: list[Shown], *, with_pixels: bool) -> list[dict[str, Any]]:
    given = [[each.src for each in shown], FILE_LIMIT_MS, with_pixels]
    return list(page.evaluate(LOAD, given))


def _first_verdict(shown: Shown, result: dict[str, Any]) -> Verdict | None:
    """None where the pixels themselves are needed."""
    if result.get("hang"):
        return Verdict(HANG)
    if result.get("error"):
        return Verdict(REFUSED, result["error"])
    return Verdict(conformance.EQUAL) if conformance.is_published(shown, result) else None


def _judge_all(page: Any, data: Path, shown: list[Shown]) -> dict[str, tuple[Shown, Verdict]]:
    verdicts: dict[str, tuple[Shown, Verdict]] = {}
    for start in range(0, len(shown), BATCH):
        batch = shown[start : start + BATCH]
        for each, result in zip(batch, _load(page, batch, with_pixels=False), strict=True):
            verdict = _first_verdict(each, result)
            if verdict is None:
                [whole] = _load(page, [each], with_pixels=True)
                assert "error" not in whole, (each.name, whole)
                pictures = conformance.pictures_of(whole)
                verdict = conformance.verdict_of(each, pictures, data)
            verdicts[each.name] = (each, verdict)
    return verdicts


def test_every_file(page, viewer_dist, shared_data):
    shown = list(conformance.load_shown(shared_data))
    with RecordingServer(shared_data, viewer_dist) as server:
        viewer = Viewer(page, server.url)
        viewer.open("wadouri:data/wg04/CT1_JPH.dcm")
        viewer.wait_for("complete")
        verdicts = _judge_all(page, shared_data, shown)
    others = conformance.not_images(shared_data, {name for each in shown for name in each.files})
    text = conformance.document(verdicts, others)
    if os.environ.get("FIRSTLIGHT_WRITE_DOCS"):
        DOCUMENT.write_text(text)
    found = {name: verdict for name, (_, verdict) in verdicts.items()}
    assert {n: v for n, v in found.items() if v.word in (WRONG, HANG)} == {}
    refused = {name: verdict.detail for name, verdict in found.items() if verdict.word == REFUSED}
    rightly = {name: error for name, error in refused.items() if not name.startswith("negative/")}
    assert rightly == RIGHTLY_REFUSED
    assert DOCUMENT.read_text() == text
