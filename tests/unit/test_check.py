"""``firstlight check`` against servers that do one thing wrong, and one that does all right."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from typer.testing import CliRunner

from firstlight.check.kinds import recognise
from firstlight.check.run import Asker, check
from firstlight.cli import app
from support.faulty_server import Fault, FaultyServer
from support.patience import WAIT_S
from support.recording_server import RecordingServer
from unit.prepare_sources import copied, image, part10, run

if TYPE_CHECKING:
    from pathlib import Path

    from firstlight.check.findings import Report

PATH = "/image.jph"
SILENCE_S = 1.0
"""Of a server that says nothing more; one that does may take as long as it likes."""


def codestream(**options: object) -> bytes:
    values = np.random.default_rng(1).integers(0, 4096, (400, 300), dtype=np.uint16)
    wanted = {"prog_order": "RPCL", "tlm": True, "tilepart": "RESOLUTIONS", **options}
    return bytes(imagecodecs.htj2k_encode(values, reversible=True, resolutions=3, **wanted))


CONTENT = codestream()


JPEG = imagecodecs.jpeg8_encode(np.zeros((16, 24), np.uint8))


def checked(src: str, **asker: object) -> Report:
    return asyncio.run(check(src, Asker(**{"silence_s": WAIT_S, **asker})))


def checked_with(fault: Fault, content: bytes = CONTENT, **asker: object) -> Report:
    with FaultyServer({PATH: content}, {PATH: fault}) as server:
        if asker.get("origin") == "same":
            asker["origin"] = server.origin
        if fault.no_answer or fault.stall_after_bytes is not None:
            asker["silence_s"] = SILENCE_S
        return checked(server.url(PATH), **asker)


def graded(report: Report, grade: str) -> set[str]:
    return {f.topic for inquiry in report.inquiries for f in inquiry.findings if f.grade == grade}


def text_of(report: Report, topic: str) -> str:
    found = [f for inquiry in report.inquiries for f in inquiry.findings if f.topic == topic]
    return " ".join(finding.text for finding in found)


def test_a_server_that_does_all_right() -> None:
    report = checked_with(Fault())
    assert report.fit
    assert graded(report, "problem") == graded(report, "warning") == set()
    assert {"Range", "If-Range", "CORS", "Keep-alive", "Level ends"} <= graded(report, "ok")
    facts = report.inquiries[0].holds["codestream"]
    assert facts["transfer_syntax_uid"] == "1.2.840.10008.1.2.4.202"
    assert (facts["columns"], facts["rows"], facts["method"]) == (300, 400, "tlm")
    assert facts["bytes_read"] == 4096


@pytest.mark.parametrize(
    ("fault", "topic"),
    [
        (Fault(ignore_range=True), "Range"),
        (Fault(ignore_range=True, framing="chunked"), "Range"),
        (Fault(content_range_shift_bytes=7), "Range"),
        (Fault(gzip_ranges=True), "Compression"),
        (Fault(hide_etag=True), "Version"),
        (Fault(changes_after_requests=1), "Version"),
        (Fault(hide_cors=True), "CORS"),
        (Fault(status=403), "Answer"),
        (Fault(status=404), "Answer"),
        (Fault(status=416), "Answer"),
        (Fault(status=500), "Answer"),
        (Fault(close_after_bytes=100), "Answer"),
        (Fault(close_after_bytes=100, reset=True), "Answer"),
        (Fault(no_answer=True), "Answer"),
        (Fault(stall_after_bytes=100), "Answer"),
    ],
    ids=str,
)
def test_a_problem_is_found(fault: Fault, topic: str) -> None:
    report = checked_with(fault)
    assert topic in graded(report, "problem")
    assert not report.fit


@pytest.mark.parametrize(
    ("fault", "topic"),
    [
        (Fault(hide_total=True), "Range"),
        (Fault(hide_exposed=True), "CORS, headers"),
        (Fault(framing="close"), "Keep-alive"),
    ],
    ids=str,
)
def test_a_warning_is_given(fault: Fault, topic: str) -> None:
    report = checked_with(fault)
    assert topic in graded(report, "warning")
    assert report.fit


def test_the_same_origin_needs_no_cors() -> None:
    report = checked_with(Fault(hide_cors=True), origin="same")
    assert report.fit
    assert "CORS" in graded(report, "ok")


def test_nobody_listens() -> None:
    with FaultyServer({}) as server:
        url = server.url(PATH)
    report = checked(url)
    assert graded(report, "problem") == {"Answer"}


def test_requests_are_few_and_small() -> None:
    content = CONTENT + bytes(5_000_000)
    with FaultyServer({PATH: content}) as server:
        report = checked(server.url(PATH))
        server.requests.wait_until_idle()
        requests = server.requests()
    assert report.inquiries[0].requests == len(requests) <= 15
    ranged = [request for request in requests if request.status == 206]
    assert sum(request.body_bytes for request in ranged) < 20_000
    assert all(request.headers.get("origin") for request in requests)


# -- content ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "topic", "grade"),
    [
        (codestream(tlm=False, tilepart=None), "Level ends", "warning"),
        (codestream(prog_order="CPRL", tlm=False, tilepart=None), "Level ends", "warning"),
        (b"<!DOCTYPE html><title>Log in</title>", "Content", "problem"),
        (b"neither this nor that", "Content", "problem"),
        (JPEG, "Levels", "warning"),
        (JPEG, "Content", "ok"),
        (JPEG[:20], "Content", "problem"),
        (CONTENT[:100], "Content", "problem"),
        (CONTENT[:8] + b"\xff" * 400, "Content", "problem"),
    ],
    ids=[
        "no TLM",
        "CPRL",
        "web page",
        "text",
        "JPEG levels",
        "JPEG",
        "cut JPEG",
        "cut header",
        "broken header",
    ],
)
def test_what_it_holds(content: bytes, topic: str, grade: str) -> None:
    assert topic in graded(checked_with(Fault(), content), grade)


def test_jpeg_2000_is_slow() -> None:
    values = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    report = checked_with(Fault(), bytes(imagecodecs.jpeg2k_encode(values, codecformat="J2K")))
    assert "JPEG 2000 decodes" in text_of(report, "Codestream")


def test_part_10_without_resolution_levels() -> None:
    content = part10(image(np.zeros((64, 64), np.uint16)))
    report = checked_with(Fault(), content)
    assert report.fit
    assert "no resolution levels" in text_of(report, "Levels")
    assert report.inquiries[0].holds["transfer_syntax_uid"] == "1.2.840.10008.1.2.1"


def test_multipart() -> None:
    head = b"--xyz\r\nContent-Type: image/jphc; transfer-syntax=1.2.840.10008.1.2.4.202\r\n\r\n"
    report = checked_with(Fault(), head + CONTENT + b"\r\n--xyz--\r\n")
    assert report.fit
    holds = report.inquiries[0].holds
    assert (holds["boundary"], holds["payload_start"]) == ("xyz", len(head))
    assert "TLM" in text_of(report, "Level ends")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'{"firstlight":1,', "descriptor"),
        (b'\n { "firstlight" : 1', "descriptor"),
        (b'{"firstlight_index":1,', "sidecar"),
        (b'[{"00080005":', "dicom json"),
        (b"[]", "dicom json"),
        (b"{}", "unknown"),
        (b"", "unknown"),
        (bytes(128) + b"DICM", "part 10 file"),
        (b"\xff\x4f\xff\x51\x00", "codestream"),
        (b"--a\r\nContent-Type: image/jphc\r\n\r\n\xff", "multipart frame"),
        (b"  <html>", "web page"),
    ],
)
def test_recognise(head: bytes, kind: str) -> None:
    assert recognise(head) == kind


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    source = copied(folder / "in", "CT_small.dcm")
    assert run(source, "-o", folder / "out", "--layout", "jphuri", "-q", "-j", 1).exit_code == 0
    return folder / "out"


def test_a_descriptor_leads_to_its_first_frame(prepared: Path) -> None:
    with RecordingServer(prepared) as server:
        report = checked(server.data_url + "firstlight.json")
    assert report.fit
    assert [inquiry.url.rpartition("/")[2] for inquiry in report.inquiries] == [
        "firstlight.json",
        "image1.jph",
    ]
    assert report.inquiries[0].holds["frames"] == 1


def test_a_pair_is_checked_on_both_sides(prepared: Path) -> None:
    with RecordingServer(prepared) as server:
        report = checked(f"jphuri:{server.data_url}image1.jph")
    assert report.fit
    assert [inquiry.holds["kind"] for inquiry in report.inquiries] == ["codestream", "metadata"]


def test_credentials_stay_with_the_server_asked() -> None:
    """A descriptor may name frames anywhere; only the server asked gets the token."""
    with FaultyServer({PATH: CONTENT}) as other, FaultyServer({}) as server:
        frame = {"url": other.url(PATH), "length": len(CONTENT), "level_ends": [len(CONTENT)]}
        series = {"series_instance_uid": "1.2", "image": {"rows": 400, "columns": 300}}
        descriptor = {"firstlight": 1, "series": [{**series, "frames": [frame]}]}
        server.files["/firstlight.json"] = json.dumps(descriptor).encode()
        report = checked(server.url("/firstlight.json"), headers={"Authorization": "Bearer x"})
        assert len(report.inquiries) == 2
        gets = [request for request in server.requests() if request.method == "GET"]
        assert {request.headers.get("authorization") for request in gets} == {"Bearer x"}
        assert {request.headers.get("authorization") for request in other.requests()} == {None}


# -- the command --------------------------------------------------------------------------------


def command(*arguments: object):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_command_prints_a_line_for_each_finding() -> None:
    with FaultyServer({PATH: CONTENT}, {PATH: Fault(hide_cors=True)}) as server:
        result = command(server.url(PATH))
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith(server.url(PATH))
    assert lines[-1] == "not fit: 1 problems, 2 warnings"
    (line,) = [line for line in lines if "problem  CORS" in line]
    assert "Access-Control-Allow-Origin: *" in line.partition(" -> ")[2]


def test_command_json_and_nginx() -> None:
    with FaultyServer({PATH: CONTENT}) as server:
        result = command(server.url(PATH), "--json", "--nginx")
    assert result.exit_code == 0
    record = json.loads(result.output)
    assert record["fit"] is True
    assert "add_header Access-Control-Allow-Origin" in record["nginx"]
    assert {finding["grade"] for finding in record["inquiries"][0]["findings"]} == {"ok"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["file:///a.jph"],
        ["/a/path.jph"],
        ["jphuri:relative.jph"],
        ["http://"],
        ["http://127.0.0.1/a.jph", "--header", "no colon"],
        ["jphuri:http://127.0.0.1/a.png"],
        [],
    ],
)
def test_bad_usage(arguments: list[str]) -> None:
    result = command(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_study_names_what_is_left_out(shared_data: Path, tmp_path: Path) -> None:
    """A real tree, and a series in it that is listed but is not there."""
    (study,) = shared_data.glob("dicomweb/studies/1.3.46.*")
    files = {
        f"/studies/{study.name}/{path.relative_to(study).as_posix()}": path.read_bytes()
        for path in study.rglob("*")
        if path.is_file()
    }
    listed = json.loads(gzip.decompress(files[f"/studies/{study.name}/series/index.json.gz"]))
    listed.append({"0020000E": {"vr": "UI", "Value": ["9.9"]}})
    files[f"/studies/{study.name}/series/index.json"] = json.dumps(listed).encode()
    with FaultyServer(files) as server:
        report = checked(f"dicomweb:{server.url(f'/studies/{study.name}')}")
    assert "1 of 2 series left out" in text_of(report, "Left out")
    assert report.inquiries[0].holds["kind"] == "multipart frame"
