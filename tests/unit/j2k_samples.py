"""Codestreams to test with: made by an encoder of others, or real ones from shared/data."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import openjpeg
import pydicom
from pydicom.encaps import generate_frames

from firstlight.j2k.index import IndexReader
from firstlight.j2k.markers import codestream_start, read_main_header
from firstlight.j2k.walk import LevelWalk
from firstlight.j2k.windows import read_all

if TYPE_CHECKING:
    from pathlib import Path

    from firstlight.j2k.parameters import TilePartHeader
    from firstlight.j2k.progression import PacketPlace

TLM, PLT, COM = b"\xff\x55", b"\xff\x58", b"\xff\x64"
SOT = b"\xff\x90\x00\x0a"
ORDERS = ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")


@cache
def picture(height: int, width: int, samples: int = 1) -> np.ndarray:
    """A 12-bit picture with smooth parts, edges and noise; 8-bit where it has colour."""
    random = np.random.default_rng(height * 10007 + width)
    y, x = np.mgrid[:height, :width]
    plane = 2000 + 1200 * np.sin(x / 19) * np.cos(y / 23) + 500 * ((x // 17 + y // 13) % 2)
    if samples == 1:
        noisy = plane + random.normal(0, 12, (height, width))
        return np.clip(noisy, 0, 4095).astype(np.uint16)
    shifts = plane[..., None] / 16 + 10 * np.arange(samples)
    noisy = shifts + random.normal(0, 2, (height, width, samples))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@cache
def ht(
    height: int,
    width: int,
    *,
    samples: int = 1,
    levels: int = 5,
    order: str = "RPCL",
    tlm: bool = True,
    tile_parts: bool = True,
    tile: tuple[int, int] | None = None,
) -> bytes:
    """A lossless HTJ2K codestream by OpenJPH."""
    return imagecodecs.htj2k_encode(
        picture(height, width, samples),
        reversible=True,
        bitspersample=12 if samples == 1 else 8,
        resolutions=levels,
        prog_order=order,
        tlm=tlm,
        tilepart="RESOLUTIONS" if tile_parts else None,
        tile=tile,
        rgb=samples == 3,
    )


@cache
def part_1(height: int, width: int, *, samples: int = 1, plt: bool = False) -> bytes:
    """A lossless Part 1 codestream by OpenJPEG: LRCP, five decompositions, one tile."""
    return openjpeg.encode(
        picture(height, width, samples),
        bits_stored=12 if samples == 1 else 8,
        photometric_interpretation=1 if samples == 3 else 2,
        add_plt=plt,
    )


@cache
def layered() -> bytes:
    """A Part 1 codestream with several quality layers."""
    return openjpeg.encode(picture(200, 300), bits_stored=12, compression_ratios=[40, 20, 5, 1])


def without_tlm(codestream: bytes) -> bytes:
    """The same with TLM turned into a comment: every byte stays where it is."""
    head = read_main_header(codestream).header_stop
    return codestream[:head].replace(TLM, COM) + codestream[head:]


def without_plt(codestream: bytes) -> bytes:
    """The same with the PLT of each tile-part turned into a comment."""
    out = bytearray(codestream)
    for part in tile_parts(codestream):
        head = bytes(out[part.start : part.body_start])
        out[part.start : part.body_start] = head[:12] + head[12:].replace(PLT, COM)
    return bytes(out)


def without_tile_part_counts(codestream: bytes) -> bytes:
    """The same with TNsot 0, so that nothing says that tile-parts are resolution levels."""
    out = bytearray(codestream)
    for part in tile_parts(codestream):
        out[part.start + 11] = 0
    return bytes(out)


class Seen:
    """Keeps what a walk tells."""

    def __init__(self) -> None:
        self.parts: list[TilePartHeader] = []
        self.packets: list[tuple[int, PacketPlace, int, int]] = []
        self.last_stops: list[int] = []
        """For each tile-part, where its last packet ends."""

    def tile_part(self, part: TilePartHeader) -> None:
        self.parts.append(part)
        self.last_stops.append(part.body_start)

    def packet(self, tile_index: int, place: PacketPlace, start: int, stop: int) -> None:
        self.packets.append((tile_index, place, start, stop))
        self.last_stops[-1] = stop


def walk(codestream: bytes) -> tuple[Seen, LevelWalk]:
    """Go through every packet by its header."""
    seen = Seen()
    walking = LevelWalk(read_main_header(codestream), len(codestream), listener=seen)
    read_all(walking.run(), codestream)
    return seen, walking


def tile_parts(codestream: bytes) -> list[TilePartHeader]:
    """The tile-part headers of a codestream whose packets can be read."""
    return walk(codestream)[0].parts


def fed_as_wanted(codestream: bytes, *, length: int | None = None) -> tuple[IndexReader, list[int]]:
    """A reader that was given just what it wanted, and how many bytes each time."""
    reader = IndexReader(length)
    fed = []
    while reader.wanted is not None:
        wanted = reader.wanted
        data = codestream[wanted.start : wanted.stop]
        fed.append(len(data))
        assert len(fed) < 100_000, "the reader does not come to an end"
        reader.feed(wanted.start, data)
    return reader, fed


def repaired(codestream: bytes, stop: int) -> bytes:
    """A prefix of a codestream with one tile-part, made whole for decoders that insist on it."""
    at = read_main_header(codestream).header_stop
    assert codestream[at : at + 4] == SOT
    length = (stop - at).to_bytes(4, "big")
    return codestream[: at + 6] + length + codestream[at + 10 : stop] + b"\xff\xd9"


def expectations(shared_data: Path) -> dict[str, dict]:
    """The entries of shared/data/expected.json that are sound codestreams, by file name."""
    entries = json.loads((shared_data / "expected.json").read_text())
    return {
        name: entry
        for name, entry in entries.items()
        if "prog" in entry.get("cs", {}) and not name.startswith("negative/")
    }


def real_codestream(shared_data: Path, name: str) -> bytes:
    """The first codestream of a real file: bare, in a JP2 file, or the first frame of DICOM."""
    data = (shared_data / name).read_bytes()
    if name.endswith(".dcm"):
        dataset = pydicom.dcmread(shared_data / name)
        frames = int(dataset.get("NumberOfFrames") or 1)
        data = next(generate_frames(dataset.PixelData, number_of_frames=frames))
    return data[codestream_start(data) :]
