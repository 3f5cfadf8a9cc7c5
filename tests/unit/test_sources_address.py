"""Words in an address that are ours, and addresses relative to others."""

from __future__ import annotations

import pytest

from firstlight.errors import MalformedDescriptor
from firstlight.sources.address import resolve, split_limit
from firstlight.sources.base import Limit


@pytest.mark.parametrize(
    ("fragment", "limit"),
    [
        ("", None),
        ("byteRange=0-20000", Limit(20001)),
        ("byteRange=bytes=0-20000", Limit(20001)),
        ("byteRange=bytes=0-20000&decodeLevel=2", Limit(20001, 2)),
        ("decodeLevel=1", Limit(None, 1)),
        ("byteRange=0-", None),
        ("decodeLevel=0", None),
        ("top", None),
    ],
)
def test_a_limit_stands_in_the_fragment(fragment: str, limit: Limit | None) -> None:
    url = "https://host/a/b.jph?token=byteRange"
    assert split_limit(f"{url}#{fragment}") == (url, limit)


@pytest.mark.parametrize(
    "fragment",
    [
        "byteRange=5-9",
        "byteRange=20000",
        "byteRange=",
        "byteRange=0--1",
        f"byteRange=0-{'9' * 30}",
        "decodeLevel=-1",
        "decodeLevel=33",
        "decodeLevel=x",
        "decodeLevel=²",
    ],
)
def test_other_limits_are_refused(fragment: str) -> None:
    with pytest.raises(MalformedDescriptor):
        split_limit(f"https://host/b.jph#{fragment}")


@pytest.mark.parametrize(
    ("base", "relative", "found"),
    [
        ("https://host/a/firstlight.json", "s/1.jph", "https://host/a/s/1.jph"),
        ("https://host/a/firstlight.json?t=1", "../1.jph", "https://host/1.jph"),
        ("s3://bucket/a/firstlight.json", "s/1.jph", "s3://bucket/a/s/1.jph"),
        ("s3://bucket/a/firstlight.json", "/1.jph", "s3://bucket/1.jph"),
        ("gs://bucket/firstlight.json", "1.jph", "gs://bucket/1.jph"),
        ("memory://a/firstlight.json", "./1.jph", "memory://a/1.jph"),
        ("s3://bucket/firstlight.json", "https://host/1.jph", "https://host/1.jph"),
        ("file:///a/firstlight.json", "b/1.jph", "file:///a/b/1.jph"),
    ],
)
def test_relative_addresses(base: str, relative: str, found: str) -> None:
    assert resolve(base, relative) == found
