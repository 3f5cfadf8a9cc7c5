"""Which configuration a series gets, and where it comes from."""

from __future__ import annotations

import asyncio
import json

import pytest

from firstlight.errors import ConfigurationError, HttpStatus, LimitExceeded
from firstlight.retrieve import stock
from firstlight.retrieve.load import is_address, load_configurations
from firstlight.retrieve.lookup import Configurations, SeriesFacts
from firstlight.retrieve.parse import parse_configurations

RPCL = "1.2.840.10008.1.2.4.202"
URL = "https://host/studies/1/series/2/instances/3/frames/1"
BY_KEY = {
    URL: "single",
    "1.2.3": "sequential",
    "3.2.840.10008.1.2.4.96": "htj2k-range",
    "volume": "interleaved",
    "stack": "lossy",
    "default": "jls-thumbnail",
}


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (SeriesFacts(URL, "1.2.3", RPCL, volume=True), "single"),
        (SeriesFacts("https://host/other", "1.2.3", RPCL), "sequential"),
        (SeriesFacts("", "1.2.4", RPCL), "htj2k-range"),
        (SeriesFacts("", "1.2.4", "1.2.840.10008.1.2.4.80", volume=True), "interleaved"),
        (SeriesFacts("", "1.2.4", "1.2.840.10008.1.2.4.80"), "lossy"),
        (SeriesFacts(), "lossy"),
    ],
)
def test_the_most_particular_configuration_wins(facts, name):
    found = parse_configurations({"configurations": BY_KEY}).for_series(facts)
    assert found == stock.configuration(name)


def test_default_is_for_what_has_no_other():
    found = parse_configurations({"configurations": {"volume": "interleaved"}})
    assert found.for_series(SeriesFacts()) is None
    found.add("default", stock.configuration("single"))
    assert found.for_series(SeriesFacts()) == stock.configuration("single")


def test_an_image_id_is_the_url_in_it():
    found = Configurations()
    found.add(f"wadors:{URL}", stock.configuration("single"))
    assert found.find(URL) == stock.configuration("single")


def test_a_clone_is_apart_and_restores():
    found = Configurations()
    found.add("stack", stock.configuration("single"))
    kept = found.clone()
    found.add("stack", stock.configuration("lossy"))
    found.add("volume", stock.configuration("interleaved"))
    assert kept.find("volume", "stack") == stock.configuration("single")
    found.restore(kept)
    assert dict(found.items()) == dict(kept.items())
    found.clear()
    assert found.find("stack") is None
    assert kept.find("stack") is not None


class Answers:
    """`Resources` that have one answer for every URL."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def whole(self, url: str, *, limit_bytes: int, accept: str = "") -> bytes:
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _load(written, answer=b"{}"):
    resources = Answers(answer)
    return asyncio.run(load_configurations(written, resources)), resources.asked


def test_a_configuration_is_fetched_from_its_address():
    body = json.dumps({"name": "mine", "stages": "sequential"}).encode()
    found, asked = _load("https://host/mine.json", b"\xef\xbb\xbf" + body)
    assert asked == ["https://host/mine.json"]
    assert found.find("default").name == "mine"


@pytest.mark.parametrize("written", [None, "", "interleaved", '{"stages": "single"}', {}])
def test_nothing_is_fetched_for_what_is_here(written):
    found, asked = _load(written)
    assert asked == []
    assert (found.find("default") is None) == (not written and written != {})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (HttpStatus("404 Not Found", status=404), "configuration: 404 Not Found"),
        (LimitExceeded("too large"), "configuration: too large"),
        (b"\xff\xfe{", "configuration: not UTF-8"),
        (b"<!doctype html>", "configuration: not a JSON object"),
        (b"interleaved", "configuration: not a JSON object"),
        (b'{"stages": [{"id": 3}]}', "stages[0].id: must be a text, not 3"),
    ],
)
def test_what_is_wrong_at_an_address_is_told_with_it(answer, message):
    with pytest.raises(ConfigurationError) as caught:
        _load("https://host/mine.json", answer)
    assert caught.value.message == message
    assert caught.value.resource == "https://host/mine.json"


@pytest.mark.parametrize("name", stock.NAMES)
def test_a_stock_name_is_no_address(name):
    assert not is_address(name)
    assert is_address(f"{name}.json")
