"""Run one function over many items in as many processes; failures are results, not ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Protocol, TypeVar

from firstlight.prepare.dedicated import dedicate_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import BaseContext

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Where work is done: here, on all cores, or on a cluster."""

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[T, R | Exception]]:
        """Yield each item with its result, or what it raised, as they are done."""


class InProcess:
    """One item after another, here."""

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[T, R | Exception]]:
        """Yield each item with its result, or what it raised."""
        for item in items:
            try:
                yield item, work(item)
            except Exception as error:
                yield item, error


class OnAllCores:
    """A pool of processes, which ends with this one however this one ends."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[T, R | Exception]]:
        """Yield each item with its result, or what it raised, as they are done.

        Raises:
            BrokenProcessPool: a worker was killed.
        """
        pending = {self._executor.submit(work, item): item for item in items}
        for future in as_completed(pending):
            item = pending.pop(future)
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                raise error
            yield item, error if isinstance(error, Exception) else future.result()


@contextmanager
def workers(jobs: int, cluster: str = "") -> Iterator[Workers]:
    """Workers for the time of a ``with`` block; on the way out what has not begun is dropped.

    ``cluster`` is the address of a Dask scheduler, ``local`` for one of our own, empty for none.

    Raises:
        ClusterUnavailable: nobody answers at the address.
    """
    if cluster:
        from firstlight.prepare.cluster import cluster_workers

        with cluster_workers(cluster, jobs) as there:
            yield there
        return
    if jobs <= 1:
        yield InProcess()
        return
    executor = ProcessPoolExecutor(
        max_workers=jobs,
        mp_context=_context(),
        initializer=_begin_worker,
        initargs=(dict(os.environ),),
    )
    try:
        yield OnAllCores(executor)
    finally:
        executor.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """Workers forked from a clean process that has imported everything once; else from nothing.

    Never from this one, whose threads (a progress bar, a store's client) do not come along.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["firstlight.prepare.work", "firstlight.prepare.verify"])
    return context


def _begin_worker(environment: dict[str, str]) -> None:
    """Leave Ctrl-C to the parent, and never outlive it.

    ``environment`` is the parent's of now; that which workers are forked from may be older.
    """
    dedicate_process()
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait([sentinel]), os._exit(1)), daemon=True).start()
