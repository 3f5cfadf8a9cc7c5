"""A plain address: what the streams say of themselves, and their pixels through the loader."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil

import imagecodecs
import numpy as np
import pytest

from firstlight.adapters.load import load_frame
from firstlight.dicom.jpeg import read_jpeg
from firstlight.errors import FirstlightError, NotDicom
from firstlight.j2k.boxes import SIGNATURE
from support.open_source import open_source
from support.recording_server import RecordingServer


@pytest.fixture
def served(tmp_path):
    with RecordingServer(tmp_path) as server:
        yield server, tmp_path


def load(url: str):
    return asyncio.run(load_frame(url))


@pytest.mark.parametrize(
    "name",
    [
        "t16e0",
        "t8c0e0",
        "t8c0e3",
        "t8c2e0",
        "t8nde0",
        "test8_ilv_none_rm_7",
        "tulips-gray-8bit-512-512-hp-encoder",
    ],
)
def test_bare_jpeg_ls(shared_data, name):
    path = shared_data / f"jpeg-ls/{name}.jls"
    expected = json.loads((shared_data / "expected.json").read_text())[f"jpeg-ls/{name}.jls"]
    facts, decoded = expected["cs"], expected["decoded"]
    image, coding = read_jpeg(path.read_bytes()[:4096], resource=name)
    assert (image.rows, image.columns, image.bits_stored) == (
        facts["h"],
        facts["w"],
        facts["prec"],
    )
    assert image.samples_per_pixel == facts["comps"]
    assert image.photometric_interpretation == ("RGB" if facts["comps"] == 3 else "MONOCHROME2")
    assert coding.reversible == (facts["near"] == 0)
    loaded = load(path.as_uri())
    values = np.ascontiguousarray(loaded.picture.values)
    assert hashlib.sha256(values.tobytes()).hexdigest() == decoded["sha256"]


def jpeg_of(pixels: np.ndarray, **options) -> bytes:
    return imagecodecs.jpeg8_encode(pixels, level=95, **options)


RAMP = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
COLOUR = np.stack((RAMP, RAMP.max() - RAMP, RAMP // 2), axis=2)


def test_bare_jpeg(served):
    server, folder = served
    stream = jpeg_of(RAMP)
    (folder / "x.jpg").write_bytes(stream)
    loaded = load(f"{server.data_url}x.jpg")
    assert (loaded.image.rows, loaded.image.columns) == RAMP.shape
    assert np.array_equal(loaded.picture.values, imagecodecs.jpeg8_decode(stream))


@pytest.mark.parametrize(("colour_space", "photometric"), [("YCBCR", "YBR_FULL"), ("RGB", "RGB")])
def test_colour_of_a_bare_jpeg(colour_space, photometric):
    stream = jpeg_of(COLOUR, colorspace="RGB", outcolorspace=colour_space)
    image, coding = read_jpeg(stream, resource="x")
    assert image.samples_per_pixel == 3
    assert image.photometric_interpretation == photometric
    assert coding.codec == "libjpeg-turbo"


def test_a_thumbnail_before_the_frame(served):
    server, folder = served
    stream = jpeg_of(RAMP)
    segment = b"\xff\xe1" + (60_000).to_bytes(2, "big") + jpeg_of(RAMP[:8, :8]).ljust(59_998, b"\0")
    (folder / "x.jpg").write_bytes(stream[:2] + segment * 3 + stream[2:])
    (series,) = open_source(f"{server.data_url}x.jpg")
    assert (series.frames[0].image.rows, series.frames[0].image.columns) == RAMP.shape


def test_a_jp2_file_with_much_before_its_codestream(served, shared_data):
    """A profile of 100 kB lies before it; the box says where it ends, and something follows."""
    server, folder = served
    name = sorted(shared_data.glob("openjph-tests/simple_enc_rev53_tall_narrow.j2c"))[0]
    codestream = name.read_bytes()
    boxes = [
        SIGNATURE,
        (20).to_bytes(4, "big") + b"ftypjph \0\0\0\0jph ",
        (100_008).to_bytes(4, "big") + b"uuid" + bytes(100_000),
        (len(codestream) + 8).to_bytes(4, "big") + b"jp2c" + codestream,
        (16).to_bytes(4, "big") + b"free" + bytes(8),
    ]
    (folder / "x.jph").write_bytes(b"".join(boxes))
    shutil.copyfile(name, folder / "x.j2c")
    (series,) = open_source(f"{server.data_url}x.jph")
    extent = series.frames[0].extent
    assert (extent.start, extent.length) == (sum(map(len, boxes[:3])) + 8, len(codestream))
    boxed, bare = (load(f"{server.data_url}{name}") for name in ("x.jph", "x.j2c"))
    assert np.array_equal(boxed.picture.values, bare.picture.values)
    assert boxed.image == bare.image


def test_the_colour_space_that_a_jph_file_names(served, shared_data):
    server, folder = served
    data = (shared_data / "openjph-tests/simple_dec_rev53_64x64_yuv.jph").read_bytes()
    for space, photometric in ((16, "RGB"), (18, "YBR_FULL")):
        box = b"colr\x01\0\0\0\0\0"
        assert box + b"\x10" in data
        (folder / "x.jph").write_bytes(data.replace(box + b"\x10", box + bytes((space,))))
        (series,) = open_source(f"{server.data_url}x.jph")
        image = series.frames[0].image
        assert (image.samples_per_pixel, image.photometric_interpretation) == (3, photometric)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x10\x01\x01\x11\x00\xff\xda\x00\x02",
        b"\xff\xd8\xff\xc0\x00\x08\x08\x00\x10\x00\x10\x03\xff\xda\x00\x02",
        b"\xff\xd8\xff\xda\x00\x02",
        SIGNATURE + b"\0\0\0\0free",
        SIGNATURE + (1 << 24).to_bytes(4, "big") + b"free" + bytes(1 << 12),
        b"\xff\x4f\xff\x51" + (47).to_bytes(2, "big") + b"\0\0" + bytes(28) + b"\0\x03" + bytes(9),
        b"",
    ],
)
def test_streams_that_are_none(served, data):
    server, folder = served
    (folder / "x").write_bytes(data)
    with pytest.raises(FirstlightError):
        open_source(f"{server.data_url}x")


def test_what_is_no_picture_is_not_dicom(served):
    server, folder = served
    (folder / "x").write_bytes(b"GIF89a" + bytes(100))
    with pytest.raises(NotDicom, match="neither"):
        open_source(f"{server.data_url}x")
