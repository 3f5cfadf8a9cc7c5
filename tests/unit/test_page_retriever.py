"""A retriever written in JavaScript, seen from Python: what it is told, what it may ask for."""

from __future__ import annotations

import json

import pytest

from firstlight.adapters.page_retriever import FUNCTION_KEY, PageRetrievers
from firstlight.errors import HttpStatus
from firstlight.retrieve.configuration import RetrieveOptions
from firstlight.retrieve.lookup import SeriesFacts
from firstlight.retrieve.parse import parse_configurations
from firstlight.retrieve.status import Quality


class Told:
    """A `Page` and a `Listener` that remember."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict]] = []
        self.wanted: list[tuple[int, RetrieveOptions] | str] = []

    def evict(self, frame_index: int) -> None:
        raise AssertionError

    def publish(self, kind: str, record) -> None:
        self.records.append((kind, json.loads(json.dumps(record))))

    def request(self, frame_index: int, options: RetrieveOptions) -> None:
        self.wanted.append((frame_index, options))

    def done(self) -> None:
        self.wanted.append("done")


@pytest.fixture
def started():
    """A retriever of three frames, as the page made it: ``(retrievers, retriever, told)``."""
    told = Told()
    retrievers = PageRetrievers(told)
    written = {"create": {FUNCTION_KEY: 4}, "retrieveOptions": {"a": {"chunkSize": 9}}}
    found = parse_configurations(retrievers.read(json.dumps(written)))
    configuration = found.for_series(SeriesFacts())
    retriever = configuration.create(configuration)
    retriever.start(range(3), told)
    return retrievers, retriever, told


def test_it_begins_on_the_page(started):
    _, _, told = started
    facts = {"retriever": 1, "step": "start", "function": 4, "frameCount": 3}
    assert told.records == [("retriever", facts)]


def test_what_it_asks_for_is_asked_for(started):
    retrievers, _, told = started
    options = '{"rangeIndex": 0, "initialBytes": 20000}'
    retrievers.answer(1, "request", 2, options)
    retrievers.answer(1, "request", 0, "{}")
    retrievers.answer(1, "done", -1, "null")
    wanted = RetrieveOptions(range_index=0, chunk_size_bytes=20_000)
    assert told.wanted == [(2, wanted), (0, RetrieveOptions()), "done"]


def test_it_is_told_what_came_of_it(started):
    _, retriever, told = started
    retriever.retrieved(1, Quality.SUBRESOLUTION)
    retriever.failed(2, HttpStatus("404 Not Found", status=404, resource="https://h/2"))
    (_, came), (_, failed) = told.records[1:]
    assert came == {
        "retriever": 1,
        "step": "retrieved",
        "frameIndex": 1,
        "quality": "SUBRESOLUTION",
    }
    assert (failed["step"], failed["frameIndex"]) == ("failed", 2)
    assert failed["error"]["type"] == "HttpStatus"
    assert failed["error"]["resource"] == "https://h/2"


@pytest.mark.parametrize(
    ("frame_index", "options", "message"),
    [
        (7, "{}", "request: there is no frame 7"),
        (-1, "{}", "request: there is no frame -1"),
        (0, '{"chunkSize": 0}', "request.chunkSize: must be a whole number of at least 1, not 0"),
        (0, '{"chunk": 5}', "request.chunk: not known here; there are urlArguments, "),
        (0, "7", "request: must be an object, not 7"),
    ],
)
def test_what_cannot_be_asked_for_fails_at_once(started, frame_index, options, message):
    retrievers, _, told = started
    retrievers.answer(1, "request", frame_index, options)
    assert told.wanted == []
    [(kind, record)] = told.records[1:]
    assert (kind, record["step"], record["frameIndex"]) == ("retriever", "failed", frame_index)
    assert record["error"]["message"].startswith(message)


def test_when_it_crashes_everything_is_retrieved_and_the_page_hears_why(started):
    retrievers, _, told = started
    retrievers.answer(1, "crashed", -1, '"x is not a function"')
    assert told.wanted == [(index, RetrieveOptions()) for index in range(3)] + ["done"]
    [(kind, record)] = told.records[1:]
    assert kind == "configuration"
    assert record["type"] == "ConfigurationError"
    assert record["message"] == "create: the retriever failed, x is not a function"


def test_one_of_an_earlier_series_is_not_listened_to(started):
    retrievers, _, told = started
    written = retrievers.read(json.dumps({"create": {FUNCTION_KEY: 0}}))
    later = parse_configurations(written).for_series(SeriesFacts())
    later.create(later).start(range(9), told)
    retrievers.answer(1, "request", 0, "{}")
    assert told.wanted == []
    retrievers.answer(2, "request", 8, "{}")
    assert told.wanted == [(8, RetrieveOptions())]
