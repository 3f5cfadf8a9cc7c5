"""How `firstlight serve` answers for frames of a static WADO-RS tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from firstlight.prepare.formats import FORMATS, format_of
from firstlight.serve.app import create_app
from firstlight.serve.frame_files import BARE_FRAMES
from firstlight.serve.run import Server
from unit.prepare_sources import descriptor_of, image, run, saved

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_frame_is_found_by_its_number(name: str, single: bool, tmp_path: Path) -> None:
    values = np.random.default_rng(3).integers(0, 4096, (64, 64), dtype=np.uint16)
    source = saved(tmp_path / "in.dcm", image(values))
    options = ("--single-part",) if single else ()
    out = tmp_path / "out"
    result = run(source, "-o", out, "-f", name, "--alternate", "jls=jpegls-near:near=3", *options)
    assert result.exit_code == 0, result.output
    [series] = descriptor_of(out).series
    [frame] = series.frames
    main, [alternate] = FORMATS[name], frame.alternates
    with Server(create_app(out, None), host="127.0.0.1", port=0) as server:
        for url, form in ((frame.url, main), (alternate.url, FORMATS["jpegls-near"])):
            place, _, suffix = url.rpartition(".")
            answer = httpx.get(f"{server.url}/data/{place}")
            assert answer.content == (out / url).read_bytes()
            typed = f"{form.media_type};transfer-syntax={form.uid}"
            if single:
                assert answer.headers["Content-Type"] == typed
                assert BARE_FRAMES[f".{suffix}"] == form.media_type
                part = httpx.get(f"{server.url}/data/{place}", headers={"Range": "bytes=0-9"})
                assert (part.status_code, part.content) == (206, answer.content[:10])
                assert part.headers["Content-Type"] == typed
            else:
                assert answer.headers["Content-Type"].startswith("multipart/related")
                assert f"Content-Type: {typed}\r\n".encode() in answer.content


def test_every_kind_of_frame_that_can_be_kept_is_known() -> None:
    for uid in ("50", "51", "57", "70", "80", "81", "90", "91", "201", "202", "203"):
        form = format_of(f"1.2.840.10008.1.2.4.{uid}")
        assert form is not None
        assert BARE_FRAMES[form.suffix] == form.media_type


def test_a_bare_frame_without_metadata_has_a_plain_type(tmp_path: Path) -> None:
    folder = tmp_path / "studies/1/series/2/instances/3/frames"
    folder.mkdir(parents=True)
    (folder / "1.jls").write_bytes(b"\xff\xd8")
    with Server(create_app(tmp_path, None), host="127.0.0.1", port=0) as server:
        url = f"{server.url}/data/studies/1/series/2/instances/3/frames/1"
        assert httpx.get(url).headers["Content-Type"] == "image/jls"
        (folder.parent / "metadata").write_text("{")
        assert httpx.get(url).headers["Content-Type"] == "image/jls"
        metadata = [{"00083002": {"vr": "UI", "Value": ["1.2.840.10008.1.2.4.81"]}}]
        (folder.parent / "metadata").write_text(json.dumps(metadata))
        typed = "image/jls;transfer-syntax=1.2.840.10008.1.2.4.81"
        assert httpx.get(url).headers["Content-Type"] == typed
        metadata[0]["00083002"]["Value"] = ["1.2\r\nSet-Cookie: a=b"]
        (folder.parent / "metadata").write_text(json.dumps(metadata))
        assert httpx.get(url).headers["Content-Type"] == "image/jls"
        assert httpx.get(f"{url}0").status_code == 404
