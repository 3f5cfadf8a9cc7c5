"""Retrievers that the page has written in JavaScript, told and asked over messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firstlight.errors import ConfigurationError
from firstlight.retrieve.guarded import retrieve_plainly, retriever_failed
from firstlight.retrieve.parse_options import parse_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firstlight.errors import FirstlightError
    from firstlight.ports import Page
    from firstlight.retrieve.configuration import Listener, RetrieveConfiguration, Retriever
    from firstlight.retrieve.status import Quality

FUNCTION_KEY: Final = "firstlightFunction"
"""Where the page had the function ``create``, it sends an object that has its number under this."""


class PageRetrievers:
    """All retrievers of one ``src`` that live on the page; only the latest is listened to.

    Each is published as ``retriever`` records: ``{retriever, step, ...}`` with the steps ``start``
    (``function``, ``frameCount``), ``retrieved`` (``frameIndex``, ``quality``) and ``failed``
    (``frameIndex``, ``error``).
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._count = 0
        self._latest: PageRetriever | None = None

    def read(self, configuration_json: str) -> object:
        """What the page wrote, with factories where it had functions."""
        return json.loads(configuration_json, object_hook=self._with_function)

    def answer(self, retriever: int, step: str, frame_index: int, details_json: str) -> None:
        """A step of a retriever on the page: ``request`` with options, ``done``, or ``crashed``."""
        latest = self._latest
        if latest is not None and latest.number == retriever:
            latest.answer(step, frame_index, json.loads(details_json))

    def _with_function(self, found: dict[str, Any]) -> object:
        number = found.get(FUNCTION_KEY)
        return found if number is None else self._factory(int(number))

    def _factory(self, function: int) -> Callable[[RetrieveConfiguration], Retriever]:
        def create(configuration: RetrieveConfiguration) -> Retriever:
            self._count += 1
            self._latest = PageRetriever(self._page, self._count, function)
            return self._latest

        return create


class PageRetriever:
    """A `retrieve.configuration.Retriever` that asks the page."""

    def __init__(self, page: Page, number: int, function: int) -> None:
        self.number = number
        self._page = page
        self._function = function
        self._frames: tuple[int, ...] = ()
        self._listener: Listener | None = None

    def start(self, frames: Sequence[int], listener: Listener) -> None:
        self._frames, self._listener = tuple(frames), listener
        self._tell("start", function=self._function, frameCount=len(frames))

    def retrieved(self, frame_index: int, quality: Quality) -> None:
        self._tell("retrieved", frameIndex=frame_index, quality=quality.name)

    def failed(self, frame_index: int, error: FirstlightError) -> None:
        self._tell("failed", frameIndex=frame_index, error=error.record())

    def answer(self, step: str, frame_index: int, details: Any) -> None:  # noqa: ANN401 - JSON
        """What the page's retriever wants."""
        listener = self._listener
        if listener is None:
            return
        if step == "request":
            self._request(listener, frame_index, details)
        elif step == "crashed":
            self._crashed(listener, str(details))
        else:
            listener.done()

    def _request(self, listener: Listener, frame_index: int, written: object) -> None:
        try:
            if frame_index not in self._frames:
                raise ConfigurationError(f"request: there is no frame {frame_index}")
            options = parse_options(written, "request")
        except ConfigurationError as error:
            self.failed(frame_index, error)
            return
        listener.request(frame_index, options)

    def _crashed(self, listener: Listener, message: str) -> None:
        """Nobody decides any more: everything is retrieved plainly, so that nothing stays blank."""
        self._page.publish("configuration", retriever_failed(message).record())
        retrieve_plainly(self._frames, listener)

    def _tell(self, step: str, **facts: object) -> None:
        self._page.publish("retriever", {"retriever": self.number, "step": step, **facts})
