"""``firstlight inspect``: what files and URLs hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fsspec
import imagecodecs
import numpy as np
import pytest
from typer.testing import CliRunner

from firstlight.cli import app
from firstlight.j2k.index import read_index
from support.faulty_server import Fault, FaultyServer
from unit.prepare_sources import copied, descriptor_of, image, part10, run, saved, shipped

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 200, 150
VALUES = np.random.default_rng(2).integers(0, 4096, (ROWS, COLUMNS), dtype=np.uint16)
CODESTREAM = bytes(
    imagecodecs.htj2k_encode(
        VALUES,
        reversible=True,
        bitspersample=12,
        resolutions=2,
        prog_order="RPCL",
        tlm=True,
        tilepart="RESOLUTIONS",
    )
)


def inspected(src: object) -> dict:
    result = CliRunner().invoke(app, ["inspect", str(src), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def as_text(src: object) -> list[str]:
    result = CliRunner().invoke(app, ["inspect", str(src)])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


@pytest.fixture(params=["path", "file URL", "memory URL", "http URL"])
def place(request, tmp_path):
    """Gives content a place, and the word for it."""
    with FaultyServer({}) as server:

        def put(name: str, content: bytes) -> str:
            path = tmp_path / name
            path.write_bytes(content)
            server.files[f"/{name}"] = content
            memory = f"memory://{tmp_path.name}/{name}"
            with fsspec.open(memory, "wb") as file:
                file.write(content)
            return {
                "path": str(path),
                "file URL": path.as_uri(),
                "memory URL": memory,
                "http URL": server.url(f"/{name}"),
            }[request.param]

        yield put


def test_a_codestream(place) -> None:
    found = inspected(place("x.j2c", CODESTREAM))
    facts = found["codestream"]
    assert found["kind"] == "codestream"
    assert (facts["columns"], facts["rows"], facts["components"]) == (COLUMNS, ROWS, 1)
    assert (facts["precision_bits"], facts["signed"], facts["tlm"]) == (12, False, True)
    assert (facts["progression_order"], facts["wavelet"]) == ("RPCL", "5/3 reversible")
    assert (facts["code_block_columns"], facts["code_block_rows"]) == (64, 64)
    assert facts["markers"][:3] == ["SOC", "SIZ", "CAP"]
    sizes = [(level["columns"], level["rows"]) for level in facts["levels"]]
    assert sizes == [(38, 50), (75, 100), (150, 200)]
    ends = [level["stop_byte"] for level in facts["levels"]]
    assert ends == list(read_index(CODESTREAM).level_ends)


def test_a_file_of_boxes(place) -> None:
    """Ends count from the file's first byte: that is what has to be fetched."""
    content = bytes(imagecodecs.jpeg2k_encode(VALUES, level=0, codecformat="JP2"))
    found = inspected(place("x.jp2", content))
    start = content.index(b"\xff\x4f\xff\x51")
    ends = [start + end for end in read_index(content[start:]).level_ends]
    assert found["kind"] == "jp2 file"
    assert found["codestream"]["boxed"] is True
    assert [level["stop_byte"] for level in found["codestream"]["levels"]] == ends


def test_part_10(place) -> None:
    content = shipped("MR_small_jp2klossless.dcm").read_bytes()
    found = inspected(place("x.dcm", content))
    assert found["kind"] == "part 10 file"
    assert found["transfer_syntax_uid"] == "1.2.840.10008.1.2.4.90"
    (series,) = found["series"]
    assert (series["modality"], series["codec"], series["frame_count"]) == ("MR", "openjpeg", 1)
    (frame,) = series["frames"]
    codestream = content[frame["start"] : frame["start"] + frame["length"]]
    ends = [level["stop_byte"] for level in found["codestream"]["levels"]]
    assert ends == list(read_index(codestream).level_ends)
    assert found["attributes"]["rows"] == 64
    assert found["attributes"]["bits_stored"] == 16


def test_part_10_without_codestream(place) -> None:
    found = inspected(place("x.dcm", part10(image(VALUES, WindowCenter=40, WindowWidth=400))))
    assert found["codestream"] is None
    assert found["attributes"]["windows"] == [{"center": 40.0, "width": 400.0}]


@pytest.mark.parametrize("number", [1, 7, 10])
def test_one_frame_of_many(number) -> None:
    written = shipped("emri_small_jpeg_2k_lossless.dcm").as_uri()
    whole = inspected(f"wadouri:{written}")["series"][0]["frames"]
    (frame,) = inspected(f"wadouri:{written}?frame={number}")["series"][0]["frames"]
    assert len(whole) == 10
    assert frame["start"] == whole[number - 1]["start"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("inspect")
    source = copied(folder / "in", "CT_small.dcm", "MR_small.dcm")
    assert run(source, "-o", folder / "out", "--layout", "jphuri", "-q", "-j", 1).exit_code == 0
    return folder / "out"


def test_a_descriptor(tree: Path) -> None:
    found = inspected(tree / "firstlight.json")
    written = descriptor_of(tree).series
    assert found["kind"] == "descriptor"
    assert [len(series["frames"]) for series in found["series"]] == [len(s.frames) for s in written]
    ends = [level["stop_byte"] for level in found["codestream"]["levels"]]
    assert ends == list(written[0].frames[0].level_ends)
    assert found["codestream"]["method"] == "tlm"


def test_a_pair_and_its_halves(tree: Path) -> None:
    pair = inspected(f"jphuri:{tree}/image1.jph")
    pixels, metadata = inspected(tree / "image1.jph"), inspected(tree / "image1.metadata.dcm")
    assert pair["codestream"] == pixels["codestream"]
    assert pair["attributes"] == metadata["attributes"]
    assert (pixels["kind"], metadata["kind"]) == ("codestream", "metadata")


def test_text_tells_each_level(tree: Path) -> None:
    lines = as_text(tree / "firstlight.json")
    end = descriptor_of(tree).series[0].frames[0].level_ends[0]
    (line,) = [line for line in lines if line.strip().startswith("0 ")]
    assert "16 x 16" in line
    assert f"{end:,}" in line
    assert any("1.2.840.10008.1.2.4.202, High-Throughput" in line for line in lines)


def test_whether_windows_can_be_loaded_by_themselves(tree: Path, tmp_path: Path) -> None:
    bare = tmp_path / "x.j2c"
    bare.write_bytes(CODESTREAM)
    assert inspected(bare)["codestream"]["no_windows"] == "precincts without end"
    assert "  no windows of a level: precincts without end" in as_text(bare)
    pytest.importorskip("ojph", reason="needs an encoder of precincts")
    assert inspected(tree / "firstlight.json")["codestream"]["no_windows"] == ""
    lines = as_text(tree / "firstlight.json")
    assert "  a window of a level can be loaded by itself, with PLT" in lines


def test_a_multipart_frame() -> None:
    head = b"--b\r\nContent-Type: image/jphc\r\n\r\n"
    with FaultyServer({"/1": head + CODESTREAM + b"\r\n--b--"}) as server:
        found = inspected(server.url("/1"))
    ends = [level["stop_byte"] for level in found["codestream"]["levels"]]
    assert (found["kind"], ends) == ("multipart frame", list(read_index(CODESTREAM).level_ends))


def test_only_headers_are_fetched() -> None:
    content = CODESTREAM[:-2] + bytes(3_000_000)
    with FaultyServer({"/x.j2c": content}) as server:
        inspected(server.url("/x.j2c"))
        assert server.requests.body_bytes() < 20_000


def test_a_server_without_ranges() -> None:
    content = shipped("MR_small_jp2klossless.dcm").read_bytes()
    with FaultyServer({"/x.dcm": content}, {"/x.dcm": Fault(ignore_range=True)}) as server:
        assert inspected(server.url("/x.dcm"))["codestream"]["level_ends_known"]


def refused(src: object) -> str:
    result = CliRunner().invoke(app, ["inspect", str(src)])
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_refusals(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("neither this nor that")
    assert "no such file" in refused(tmp_path / "nothing.dcm")
    assert "no such file" in refused(tmp_path)
    assert "unknown" in refused(text)
    saved(tmp_path / "cut.dcm", image(VALUES))
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(cut.read_bytes()[:300])
    assert "NotDicom" not in refused(cut)
    (tmp_path / "cut.j2c").write_bytes(CODESTREAM[:60])
    assert "main header" in refused(tmp_path / "cut.j2c")
    with FaultyServer({}) as server:
        assert "404" in refused(server.url("/nothing.dcm"))
    assert "no answer" in refused(server.url("/nobody.dcm"))


def test_a_flaw_behind_the_main_header_is_told(tmp_path: Path) -> None:
    broken = bytearray(bytes(imagecodecs.htj2k_encode(VALUES, reversible=True, resolutions=2)))
    start = broken.index(b"\xff\x90")
    broken[start + 4 : start + 6] = b"\x00\x09"  # a tile that does not exist
    (tmp_path / "x.j2c").write_bytes(broken)
    facts = inspected(tmp_path / "x.j2c")["codestream"]
    assert "tile" in facts["flaw"]
    assert not facts["level_ends_known"]


def test_bare_jpeg_ls(shared_data: Path) -> None:
    found = inspected(shared_data / "jpeg-ls/t16e0.jls")
    assert (found["kind"], found["transfer_syntax_uid"]) == (
        "jpeg stream",
        "1.2.840.10008.1.2.4.80",
    )
    assert found["attributes"]["bits_stored"] == 12
    assert found["codestream"] is None


def test_several_syntaxes_and_what_is_left_out(tree: Path, tmp_path: Path) -> None:
    record = json.loads((tree / "firstlight.json").read_text())
    first = record["series"][0]
    other = {**first, "transfer_syntax_uid": "1.2.840.10008.1.2.4.201"}
    unknown = {**first, "transfer_syntax_uid": "1.2.840.10008.1.2.4.102"}
    record["series"] = [first, other, unknown]
    (tmp_path / "firstlight.json").write_text(json.dumps(record))
    for path in tree.glob("*.jph"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    found = inspected(tmp_path / "firstlight.json")
    assert len(found["series"]) == 1
    assert found["transfer_syntax_uid"] == "1.2.840.10008.1.2.4.202, 1.2.840.10008.1.2.4.201"
    assert "1.2.840.10008.1.2.4.102" in found["notices"][0]
    lines = as_text(tmp_path / "firstlight.json")
    assert found["notices"][0] in lines
