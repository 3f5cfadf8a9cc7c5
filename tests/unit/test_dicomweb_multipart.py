"""Where a frame begins and ends in a multipart body, and what is never taken for either."""

from __future__ import annotations

import gzip

import pytest

from firstlight.dicomweb.multipart import (
    MAX_HEAD_BYTES,
    TAIL_BYTES,
    is_multipart,
    parameters,
    payload_stop,
    read_part_head,
)
from firstlight.errors import NotDicom

PIXELS = bytes(range(256)) * 3


def body(pixels: bytes, *headers: str, boundary="B", before=b"", end=b"\r\n--B--", eol="\r\n"):
    lines = eol.join((f"--{boundary}", *headers, "", "")).encode()
    return before + lines + pixels + end


def payload(data: bytes, *, content_type="") -> bytes:
    head = read_part_head(data, content_type=content_type)
    assert head is not None
    return data[head.payload_start : payload_stop(head, data[-TAIL_BYTES:], len(data))]


@pytest.mark.parametrize(
    "data",
    [
        body(PIXELS, "Content-Type: image/jphc"),
        body(PIXELS, "Content-Type: image/jphc", end=b"\r\n--B--\r\n"),
        body(PIXELS, "Content-Type: image/jphc", before=b"\r\n"),
        body(PIXELS, "Content-Type: image/jphc", eol="\n", end=b"\n--B--"),
        body(PIXELS, "Content-Type: image/jphc", end=b""),
        body(PIXELS, "X-Extra: 1", "content-type:image/jphc;q=1", "Content-Location: /a/1.mht"),
        body(PIXELS, "Content-Type: image/jphc", f"Content-Length: {len(PIXELS)}"),
        body(PIXELS, "Content-Type: image/jphc", f"Content-Length: {len(PIXELS)}", end=b"\r\n--B"),
    ],
    ids=["plain", "CRLF at the end", "CRLF before", "LF", "no end", "headers", "length", "cut"],
)
def test_payload(data):
    assert payload(data) == PIXELS
    assert read_part_head(data).media_type == "image/jphc"
    assert is_multipart(data)


@pytest.mark.parametrize(
    "pixels",
    [
        b"\r\n--B--\r\n" + PIXELS,
        PIXELS + b"\r\n--B--" + PIXELS,
        PIXELS + b"\r\n--B\r\n\r\n",
        PIXELS + b"\r\n",
        PIXELS + b"\r\n--B--",
        b"--B--",
        b"",
    ],
)
def test_pixels_that_look_like_a_boundary_are_pixels(pixels):
    assert payload(body(pixels, "Content-Type: a/b")) == pixels
    known = body(pixels, "Content-Type: a/b", f"Content-Length: {len(pixels)}")
    assert payload(known) == pixels


def test_pixels_that_end_like_a_boundary_are_cut_only_where_the_part_has_no_length():
    pixels = PIXELS + b"\r\n--B--"
    assert payload(body(pixels, "Content-Type: a/b", "Content-Length: 775", end=b"")) == pixels
    assert payload(body(pixels, "Content-Type: a/b", end=b"")) == PIXELS


def test_the_boundary_of_the_header_finds_its_delimiter_behind_a_preamble():
    data = body(PIXELS, "Content-Type: a/b", before=b"--other\r\nThis is a preamble.\r\n")
    quoted = 'multipart/related; type="a/b"; boundary="B"'
    assert payload(data, content_type=quoted) == PIXELS
    assert payload(data, content_type="Multipart/Related;BOUNDARY=B") == PIXELS
    # A header that is wrong is not believed against the body.
    plain = body(PIXELS, "Content-Type: a/b")
    assert payload(plain, content_type="multipart/related; boundary=C") == PIXELS


def test_every_prefix_of_the_head_asks_for_more():
    data = body(PIXELS, "Content-Type: a/b", "Content-Length: 768")
    start = read_part_head(data).payload_start
    for length in range(start):
        assert read_part_head(data[:length]) is None
    assert read_part_head(data[:start]).payload_start == start


@pytest.mark.parametrize(
    "data",
    [bytes(MAX_HEAD_BYTES), b"--" + b"x" * MAX_HEAD_BYTES, b"--B\r\n" + b"a: b\r\n" * 2000],
)
def test_what_never_becomes_a_head_is_refused(data):
    with pytest.raises(NotDicom):
        read_part_head(data)
    assert not is_multipart(data)


@pytest.mark.parametrize("data", [b"", b"\xff\x4f\xff\x51", b"--\r\n", b"--B\r\n\x00\x01\r\n\r\n"])
def test_what_is_not_multipart(data):
    assert not is_multipart(data)


def test_transfer_syntax_and_parameters():
    data = body(PIXELS, "Content-Type: image/jls;transfer-syntax=1.2.840.10008.1.2.4.80")
    assert read_part_head(data).transfer_syntax_uid == "1.2.840.10008.1.2.4.80"
    assert parameters('a/b; x="1; \\"y"; Z=2') == {"x": '1; "y', "z": "2"}


def test_every_stored_frame_of_the_static_tree(shared_data):
    checked = 0
    for path in (shared_data / "dicomweb").rglob("frames/*"):
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        head = read_part_head(data[:512])
        frame = data[head.payload_start : payload_stop(head, data[-TAIL_BYTES:], len(data))]
        if head.media_type == "image/jls":
            assert frame.startswith(b"\xff\xd8\xff\xf7")
            assert frame.rstrip(b"\0").endswith(b"\xff\xd9")
        elif head.media_type == "application/octet-stream":
            assert len(frame) == 128 * 128 // 8
        checked += 1
    assert checked > 190
