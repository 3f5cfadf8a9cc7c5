"""Workers of a Dask distributed cluster, which see the same sources and the same target."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from firstlight.errors import FirstlightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client

_CONNECT_S: Final = 5
"""A scheduler that is there answers at once."""

_WORKERS_S: Final = 30
"""So long a scheduler may be without a worker, as while they start."""

_LOOK_S: Final = 20
"""Every so often it is looked whether there still is one."""

T = TypeVar("T")
R = TypeVar("R")


class ClusterUnavailable(FirstlightError):
    """The scheduler does not answer, or the package for it is not installed."""


class OnCluster:
    """Work handed to a scheduler; an item whose worker dies is tried again elsewhere."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[T, R | Exception]]:
        """Yield each item with its result, or what it raised, as they are done.

        Raises:
            ClusterUnavailable: all workers are gone, and stay away.
        """
        from distributed import as_completed

        futures = self._client.map(work, items, pure=False)
        item_of = {future.key: item for future, item in zip(futures, items, strict=True)}
        pending = {future.key: future for future in futures}
        del futures  # so that a result is forgotten once it was handed on
        while pending:
            try:
                for future in as_completed(list(pending.values()), timeout=_LOOK_S):
                    del pending[future.key]
                    error = future.exception()
                    result = error if isinstance(error, Exception) else future.result()
                    yield item_of.pop(future.key), result
            except TimeoutError:
                _wait_for_a_worker(self._client)


@contextmanager
def cluster_workers(address: str, jobs: int) -> Iterator[OnCluster]:
    """Workers behind a scheduler's address, or of a cluster of our own for ``local``.

    Raises:
        ClusterUnavailable: nobody answers there, it has no worker, or distributed is not installed.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise ClusterUnavailable("--cluster needs the package distributed") from None
    with ExitStack() as running:
        try:
            if address == "local":
                local = LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
                address = running.enter_context(local).scheduler_address
            client = running.enter_context(Client(address, timeout=_CONNECT_S))
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterUnavailable(f"no scheduler at {address}") from error
        _wait_for_a_worker(client)
        yield OnCluster(client)


def _wait_for_a_worker(client: Client) -> None:
    """Without any, work would wait for ever and nobody would say why."""
    try:
        client.wait_for_workers(1, timeout=_WORKERS_S)
    except (TimeoutError, OSError) as error:
        raise ClusterUnavailable("the scheduler has no worker") from error
