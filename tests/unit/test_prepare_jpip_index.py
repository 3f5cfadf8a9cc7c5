"""Index boxes (ISO/IEC 15444-9 Annex I) by a parser that shares nothing with the writer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from unit.j2k_samples import picture, walk
from unit.prepare_sources import descriptor_of, image, run, saved

if TYPE_CHECKING:
    from pathlib import Path

Boxes = list[tuple[bytes, int, bytes]]
"""Type, offset of the box, and content of each."""


def boxes_in(data: bytes, offset: int = 0) -> Boxes:
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], offset + at, data[at + 8 : at + size]))
        assert size >= 8
        at += size
    assert at == len(data), "boxes fill their parent exactly"
    return found


def only(boxes: Boxes, kind: bytes) -> bytes:
    [content] = [content for name, _, content in boxes if name == kind]
    return content


def after_manifest(content: bytes) -> list[bytes]:
    """Contents of the boxes of a list, which its manifest names in order."""
    (_, _, manifest), *rest = boxes_in(content)
    assert manifest == b"".join(
        struct.pack(">I4s", 8 + len(inner), kind) for kind, _, inner in rest
    )
    return [inner for _, _, inner in rest]


def fragments(faix: bytes) -> list[list[tuple[int, ...]]]:
    """Rows of (offset, length[, aux]) without their padding."""
    version = faix[0]
    most, rows = struct.unpack_from(">QQ" if version & 1 else ">II", faix, 1)
    element = (">QQ" if version & 1 else ">II") + ("I" if version & 2 else "")
    body = faix[1 + (16 if version & 1 else 8) :]
    assert len(body) == most * rows * struct.calcsize(element)
    entries = list(struct.iter_unpack(element, body))
    return [
        [entry for entry in entries[row * most : (row + 1) * most] if entry[1]]
        for row in range(rows)
    ]


def header_table(mhix: bytes) -> tuple[int, list[tuple[int, int, int, int]]]:
    (length,) = struct.unpack_from(">Q", mhix)
    return length, list(struct.iter_unpack(">HHQH", mhix[8:]))


@pytest.fixture
def written(tmp_path: Path):
    """Prepare an array, and return the file and its codestream."""

    def prepare(values: np.ndarray, bits: int, *options: str) -> tuple[bytes, bytes]:
        saved(tmp_path / "in" / "1.dcm", image(values, BitsStored=bits, HighBit=bits - 1))
        result = run(
            tmp_path / "in", "-o", tmp_path / "out", "--layout", "jp2", "--index-boxes", *options
        )
        assert result.exit_code == 0, result.output
        [frame] = descriptor_of(tmp_path / "out").series[0].frames
        data = (tmp_path / "out" / frame.url).read_bytes()
        return data, data[frame.start : frame.start + frame.length]

    return prepare


@pytest.mark.parametrize("options", [(), ("--format", "jpeg2000"), ("--precinct", "64")])
@pytest.mark.parametrize("samples", [1, 3])
def test_tables_lead_to_every_packet(written, options: tuple[str, ...], samples: int):
    if "--precinct" in options:
        pytest.importorskip("ojph", reason="the extra large is not installed")
    values = np.ascontiguousarray(picture(300, 420, samples))
    data, codestream = written(values, 12 if samples == 1 else 8, *options)
    kinds = [kind for kind, _, _ in boxes_in(data)]
    assert kinds == [b"jP  ", b"ftyp", b"jp2h", b"iptr", b"jp2c", b"cidx", b"fidx"]
    top = boxes_in(data)
    assert b"jpip" in only(top, b"ftyp")[8:]
    index = boxes_in(only(top, b"cidx"))
    assert [kind for kind, _, _ in index] == [
        b"cptr", b"manf", b"mhix", b"tpix", b"thix", b"ppix", b"phix",
    ]  # fmt: skip
    _, _, start, length = struct.unpack(">HHQQ", only(index, b"cptr"))
    assert data[start : start + length] == codestream
    seen, _ = walk(codestream)
    packets = {}
    for _, place, begin, stop in seen.packets:
        level, precinct = place.resolution.resolution_level, place.precinct_index
        key = (level, precinct, place.layer)
        packets.setdefault(place.resolution.component_index, {})[key] = (begin, stop - begin)
    of_components = [fragments(inner[8:])[0] for inner in faixes(only(index, b"ppix"))]
    heads = [fragments(inner[8:])[0] for inner in faixes(only(index, b"phix"))]
    assert len(of_components) == len(heads) == samples
    for component, (whole, head) in enumerate(zip(of_components, heads, strict=True)):
        expected = packets[component]
        assert whole == [expected[key] for key in sorted(expected)]
        assert [at for at, _ in head] == [at for at, _ in whole]
        assert all(0 < short <= size for (_, short), (_, size) in zip(head, whole, strict=True))
    tile_parts = fragments(only(index, b"tpix")[8:])[0]
    assert [part[:2] for part in tile_parts] == [
        (part.start, part.stop - part.start) for part in seen.parts
    ]
    assert [part[2] for part in tile_parts] == list(range(1, len(seen.parts) + 1))


def faixes(content: bytes) -> list[bytes]:
    """The fragment arrays of a list box, each with its own box header before it."""
    return [b"\0" * 8 + inner for inner in after_manifest(content)]


def test_a_codestream_can_be_put_together_from_the_tables(written):
    """Main header and packets, found by the boxes alone, are the same picture to OpenJPEG."""
    values = picture(300, 420)
    data, codestream = written(values, 12)
    index = boxes_in(only(boxes_in(data), b"cidx"))
    length, segments = header_table(only(index, b"mhix"))
    kept = [codestream[:2]]
    for marker, remaining, offset, size in segments:
        assert codestream[offset - 2 : offset] == marker.to_bytes(2, "big")
        assert int.from_bytes(codestream[offset : offset + 2], "big") == size
        assert remaining == 0
        segment = bytearray(codestream[offset - 2 : offset + size])
        if marker == 0xFF52:
            segment[5] = 1  # RLCP: packets level by level, as the table has them
        if marker != 0xFF55:
            kept.append(bytes(segment))
    assert codestream[length : length + 2] == b"\xff\x90"
    [tile_header] = after_manifest(only(index, b"thix"))
    tile_length, in_tile = header_table(tile_header)
    assert codestream[length + tile_length - 2 : length + tile_length] == b"\xff\x93"
    assert in_tile[0][0] == 0xFF90
    [[packets]] = [fragments(inner) for inner in after_manifest(only(index, b"ppix"))]
    body = b"".join(codestream[at : at + size] for at, size in packets)
    sot = struct.pack(">HHHIBB", 0xFF90, 10, 0, 14 + len(body), 0, 1)
    whole = b"".join([*kept, sot, b"\xff\x93", body, b"\xff\xd9"])
    assert np.array_equal(imagecodecs.jpeg2k_decode(whole), values)


def test_the_file_index_points_to_the_codestream_and_its_index(written):
    data, codestream = written(picture(100, 120), 12)
    top = boxes_in(data)
    at = {kind: offset for kind, offset, _ in top}
    offset, length = struct.unpack(">QQ", only(top, b"iptr"))
    assert (offset, length) == (at[b"fidx"], len(data) - at[b"fidx"])
    [(kind, _, proxy)] = boxes_in(only(top, b"fidx"))
    assert kind == b"prxy"
    original, head, count, place, index_head = struct.unpack(">Q8sBQ8s", proxy)
    assert (original, count, place) == (at[b"jp2c"], 1, at[b"cidx"])
    assert (
        data[original : original + 8] == head == struct.pack(">I4s", 8 + len(codestream), b"jp2c")
    )
    assert data[place : place + 8] == index_head


def test_without_being_asked_there_are_none(tmp_path: Path):
    saved(tmp_path / "in" / "1.dcm", image(picture(100, 120), BitsStored=12, HighBit=11))
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--layout", "jp2").exit_code == 0
    [frame] = descriptor_of(tmp_path / "out").series[0].frames
    kinds = [kind for kind, _, _ in boxes_in((tmp_path / "out" / frame.url).read_bytes())]
    assert kinds == [b"jP  ", b"ftyp", b"jp2h", b"jp2c"]
    refused = run(tmp_path / "in", "-o", tmp_path / "other", "--index-boxes")
    assert refused.exit_code == 2
    assert "only the layout jp2 has index boxes" in refused.stderr
