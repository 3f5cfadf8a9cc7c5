"""The configurations that a ``src`` was opened with: what each of its series gets from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.errors import ConfigurationError
from firstlight.retrieve import stock
from firstlight.retrieve.guarded import GuardedRetriever, retriever_failed
from firstlight.retrieve.load import load_configurations
from firstlight.retrieve.lookup import Configurations, SeriesFacts
from firstlight.retrieve.plan import compile_plan

if TYPE_CHECKING:
    from firstlight.ports import Page
    from firstlight.retrieve.configuration import RetrieveConfiguration, Retriever
    from firstlight.retrieve.plan import Plan
    from firstlight.sources.base import Resources, Series


class Configured:
    """Answers for every series; what is wrong goes to the page, and the series loads all the same.

    An error is published as ``configuration``, the record of a `ConfigurationError`, once. What
    cannot be followed is as if it had not been given: then, as without any, the order is
    `stock.ADAPTIVE`.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._configurations = Configurations()
        self._told: set[str] = set()

    async def load(self, written: object, resources: Resources) -> None:
        """Take what was written down (`load.load_configurations`)."""
        try:
            self._configurations = await load_configurations(written, resources)
        except ConfigurationError as error:
            self.tell(error)

    def plan(
        self, series: Series, frame_index: int, *, volume: bool = False
    ) -> tuple[RetrieveConfiguration, Plan]:
        """The configuration of a series, and the requests that it comes to.

        ``frame_index`` is the frame shown first; ``volume``: the series is shown as a volume.
        """
        adaptive = stock.configuration(stock.ADAPTIVE)
        uid, count = series.transfer_syntax_uid, len(series.frames)
        url = series.frames[frame_index].extent.url
        facts = SeriesFacts(url, series.series_instance_uid, uid, volume)
        uids = [frame.coding.transfer_syntax_uid for frame in series.frames]
        found = self._configurations.for_series(facts) or adaptive
        try:
            return found, compile_plan(found, count, uids, volume=volume)
        except ConfigurationError as error:
            self.tell(error)
            return adaptive, compile_plan(adaptive, count, uids, volume=volume)

    def begin(
        self, series: Series, frame_index: int, *, volume: bool = False
    ) -> tuple[Plan, Retriever | None]:
        """The plan of a series, or the retriever that takes its place; else as `plan`."""
        configuration, plan = self.plan(series, frame_index, volume=volume)
        if configuration.create is None:
            return plan, None
        try:
            retriever = configuration.create(configuration)
        except Exception as error:
            self.tell(retriever_failed(error))
            adaptive = stock.configuration(stock.ADAPTIVE)
            return compile_plan(adaptive, len(series.frames), ()), None
        return plan, GuardedRetriever(retriever, self.tell)

    def tell(self, error: ConfigurationError) -> None:
        """Report what cannot be followed."""
        if error.message not in self._told:
            self._told.add(error.message)
            self._page.publish("configuration", error.record())
