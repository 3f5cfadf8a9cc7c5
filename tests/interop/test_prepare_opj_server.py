"""Files with index boxes behind OpenJPEG's JPIP server, which finds packets by those alone.

The server (Debian's libopenjpip-server) also listens on a port of its own for everybody, so it runs
without a network and is asked over a socket file, as FastCGI.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from firstlight.j2k.markers import read_main_header
from support.patience import WAIT_S
from unit.j2k_samples import picture, walk
from unit.prepare_sources import descriptor_of, image, run, saved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRECINCT, TILE_HEADER, MAIN_HEADER = 0, 2, 6


class Served(NamedTuple):
    codestream: bytes
    socket_path: Path


@pytest.fixture(params=["htj2k", "jpeg2000"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    program = shutil.which("opj_server")
    if program is None:
        pytest.skip("opj_server is not installed (Debian: libopenjpip-server)")
    alone = [shutil.which("unshare") or "unshare", "-n"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("a process without a network is not allowed here")
    saved(tmp_path / "in" / "1.dcm", image(picture(300, 420), BitsStored=12, HighBit=11))
    options = ("--layout", "jp2", "--index-boxes", "--format", request.param)
    assert run(tmp_path / "in", "-o", tmp_path / "out", *options).exit_code == 0
    [frame] = descriptor_of(tmp_path / "out").series[0].frames
    data = (tmp_path / "out" / frame.url).read_bytes()
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.jp2").write_bytes(data)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        process = subprocess.Popen(
            [*alone, program],
            stdin=listening.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=dict(os.environ),
        )
        try:
            yield Served(data[frame.start : frame.start + frame.length], tmp_path / "s")
        finally:
            process.kill()  # it ignores a polite end
            process.wait(timeout=WAIT_S)


def record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name: str, value: str) -> bytes:
    return bytes([len(name), len(value)]) + name.encode() + value.encode()


def ask(path: Path, query: str) -> bytes:
    """The body of a FastCGI answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(WAIT_S)
        asking.connect(str(path))
        parameters = pair("QUERY_STRING", query) + pair("REQUEST_METHOD", "GET")
        begin = record(1, struct.pack(">HB5x", 1, 0))
        asking.sendall(begin + record(4, parameters) + record(4, b"") + record(5, b""))
        data = b"".join(iter(lambda: asking.recv(1 << 16), b""))
    out, at = b"", 0
    while at < len(data):
        _, kind, _, length, padding, _ = struct.unpack_from(">BBHHBB", data, at)
        out += data[at + 8 : at + 8 + length] if kind == 6 else b""
        at += 8 + length + padding
    return out.partition(b"\r\n\r\n")[2]


def data_bins(stream: bytes) -> dict[tuple[int, int], bytes]:
    """Bins of a JPP-stream (ISO/IEC 15444-9 A.2) by class and number, put together."""
    at, kind = 0, 0
    pieces: dict[tuple[int, int], dict[int, bytes]] = {}

    def number(first: int = 0) -> int:
        nonlocal at
        value, more = first, True
        while more:
            value, more = value << 7 | stream[at] & 0x7F, bool(stream[at] & 0x80)
            at += 1
        return value

    while at < len(stream) and stream[at]:
        head = stream[at]
        at += 1
        ident = number(head & 0x0F) if head & 0x80 else head & 0x0F
        if head >> 5 & 3 >= 2:
            kind = number()
        if head >> 5 & 3 == 3:
            assert number() == 0, "the codestream"
        offset, length = number(), number()
        pieces.setdefault((kind, ident), {})[offset] = stream[at : at + length]
        at += length
    return {key: b"".join(found[start] for start in sorted(found)) for key, found in pieces.items()}


def test_every_bin_is_what_the_codestream_holds(served: Served) -> None:
    codestream = served.codestream
    bins = data_bins(ask(served.socket_path, "target=a.jp2&fsiz=420,300&type=jpp-stream"))
    header, (seen, _) = read_main_header(codestream), walk(codestream)
    assert bins[MAIN_HEADER, 0] == codestream[: header.header_stop]
    first = seen.parts[0]
    assert bins[TILE_HEADER, 0] == codestream[first.start + 2 : first.body_start]
    in_order = sorted(
        (place.resolution.resolution_level, place.precinct_index, place.layer, start, stop)
        for _, place, start, stop in seen.packets
    )
    expected = [codestream[start:stop] for *_, start, stop in in_order]
    found = [bins[PRECINCT, ident] for ident in range(len(expected))]
    assert found == expected
    assert np.sum([len(packet) for packet in found]) > 50_000
