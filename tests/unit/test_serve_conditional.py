"""Preconditions and ranges on plain values (RFC 9110 13 and 14)."""

from __future__ import annotations

import pytest

from firstlight.ranges import ByteRange
from firstlight.serve.conditional import (
    RangeNotSatisfiable,
    Validators,
    precondition_status,
    requested_range,
)

SIZE = 1000
CURRENT = Validators('"3e8-1"', 784111777)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"


@pytest.mark.parametrize(
    ("value", "extent"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-499", ByteRange(0, 500)),
        ("bytes=500-", ByteRange(500, 1000)),
        ("bytes=999-", ByteRange(999, 1000)),
        ("bytes=900-5000", ByteRange(900, 1000)),
        ("bytes=0-999999999999999999", ByteRange(0, 1000)),
        ("bytes=-1", ByteRange(999, 1000)),
        ("bytes=-5000", ByteRange(0, 1000)),
        ("BYTES = 1-2", ByteRange(1, 3)),
        ("bytes=, 1-2 ,", ByteRange(1, 3)),
        ("bytes=1-2,5000-", ByteRange(1, 3)),
    ],
)
def test_one_range(value, extent):
    assert requested_range({"range": value}, CURRENT, SIZE) == extent


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-1,5-6",
        "bytes=",
        "bytes",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=+1-2",
        "bytes=1-2-3",
        "bytes=--5",
        "bytes=1-9999999999999999999",
        "bytes=0-1,oops",
        "bytes=²-3",
        "items=0-1",
    ],
)
def test_ranges_that_count_as_absent(value):
    assert requested_range({"range": value}, CURRENT, SIZE) is None


@pytest.mark.parametrize("value", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=2000-,-0"])
def test_ranges_beyond_the_end(value):
    with pytest.raises(RangeNotSatisfiable):
        requested_range({"range": value}, CURRENT, SIZE)


def test_an_empty_resource_has_no_first_byte_but_a_suffix_that_is_all_of_it():
    with pytest.raises(RangeNotSatisfiable):
        requested_range({"range": "bytes=0-"}, CURRENT, 0)
    assert requested_range({"range": "bytes=-5"}, CURRENT, 0) is None


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [
        (CURRENT.etag, True),
        (DATE, True),
        ('"other"', False),
        ("W/" + CURRENT.etag, False),
        (EARLIER, False),
        (LATER, False),
        ("nonsense", False),
    ],
)
def test_if_range(if_range, holds):
    headers = {"range": "bytes=0-9", "if-range": if_range}
    assert requested_range(headers, CURRENT, SIZE) == (ByteRange(0, 10) if holds else None)


def test_an_outdated_if_range_hides_a_range_beyond_the_end():
    headers = {"range": "bytes=5000-", "if-range": '"other"'}
    assert requested_range(headers, CURRENT, SIZE) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"if-none-match": CURRENT.etag}, 304),
        ({"if-none-match": "W/" + CURRENT.etag}, 304),
        ({"if-none-match": f'"a", W/"b", {CURRENT.etag}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, None),
        ({"if-none-match": '"other"', "if-modified-since": LATER}, None),
        ({"if-modified-since": DATE}, 304),
        ({"if-modified-since": LATER}, 304),
        ({"if-modified-since": EARLIER}, None),
        ({"if-modified-since": "yesterday"}, None),
        ({"if-match": CURRENT.etag}, None),
        ({"if-match": "*"}, None),
        ({"if-match": '"other"'}, 412),
        ({"if-match": "W/" + CURRENT.etag}, 412),
        ({"if-match": CURRENT.etag, "if-unmodified-since": EARLIER}, None),
        ({"if-unmodified-since": DATE}, None),
        ({"if-unmodified-since": EARLIER}, 412),
        ({"if-match": '"other"', "if-none-match": CURRENT.etag}, 412),
    ],
)
def test_preconditions(headers, status):
    assert precondition_status(headers, CURRENT) == status
