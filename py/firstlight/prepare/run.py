"""The whole command: plan, prepare what is missing, write the indexes, sum up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from firstlight.prepare.find import find_files
from firstlight.prepare.index import write_indexes
from firstlight.prepare.kept import is_undecoded
from firstlight.prepare.layout import TreeConflict
from firstlight.prepare.plan import make_plan
from firstlight.prepare.receipts import files_are_there, load_receipts
from firstlight.prepare.remote import is_url
from firstlight.prepare.summary import Summary, summed_up
from firstlight.prepare.tree import open_tree
from firstlight.prepare.work import (
    LAYOUTS,
    Failure,
    HashTask,
    failure_of,
    hash_source,
    prepare_source,
)
from firstlight.prepare.workers import workers
from firstlight.sources.descriptor import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firstlight.prepare.encode import Proof
    from firstlight.prepare.find import Source
    from firstlight.prepare.plan import Plan, Twin
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.tree import Tree
    from firstlight.prepare.work import Outcome
    from firstlight.prepare.workers import Workers

_WORTH_A_PROCESS_BYTES: Final = 4 << 20
"""Starting a worker takes about as long as preparing this many bytes of source."""


class Progress(Protocol):
    """Whoever shows how far the work is."""

    def begin(self, frame_total: int) -> None:
        """So many frames are to be prepared."""

    def advance(self, frame_count: int, pixel_bytes: int) -> None:
        """So many more are done."""


def prepare(
    named: Sequence[str],
    out: str,
    recipe: Recipe,
    *,
    jobs: int = 1,
    cluster: str = "",
    force: bool = False,
    heads: bool = True,
    proof: Proof = "sampled",
    progress: Progress,
) -> Summary:
    """Prepare everything named into one tree; ``named`` and ``out`` are paths or URLs.

    ``cluster`` is the address of a Dask scheduler, or ``local`` for one of our own.

    Raises:
        TreeConflict: ``out`` holds another layout, or a descriptor without its receipts.
        MalformedDescriptor: ``out`` was changed by hand.
        OSError: ``out`` cannot be read.
    """
    started = time.perf_counter()
    tree, layout = open_tree(out), LAYOUTS[recipe.layout]
    receipts = load_receipts(tree)
    _require_same_tree(tree, receipts, recipe.layout, force=force)
    tree.remove_unfinished()
    paths, passed_over = find_files(named)
    with workers(_useful_jobs(paths, jobs), cluster) as pool:
        plan = make_plan(tree, paths, receipts, recipe, pool, force=force, proof=proof)
        outcomes, failed = _prepare_missing(pool, plan, progress)
        prepared = [outcome.receipt for outcome in outcomes]
        outdated = _outdated(receipts, prepared)
        receipts |= {receipt.source_sha256: receipt for receipt in prepared}
        failed += _different_twins(pool, plan.twins, receipts)
    for path in outdated - {path for receipt in receipts.values() for path in receipt.files}:
        tree.remove(path)
    try:
        write_indexes(tree, layout, _present(tree, plan.sources, receipts), heads=heads)
    except OSError as error:  # those of the run before stay as they are
        failed.append(failure_of(f"{out}: its indexes", error))
    tree.remove_unfinished()
    failures = _in_order(paths, [*plan.failures, *failed])
    return summed_up(
        paths, passed_over, plan, outcomes, failures, seconds=time.perf_counter() - started
    )


def _require_same_tree(
    tree: Tree, receipts: dict[str, Receipt], layout: str, *, force: bool
) -> None:
    others = {receipt.layout for receipt in receipts.values()} - {layout}
    if others:
        raise TreeConflict(f"holds the layout {others.pop()} already", resource=tree.location)
    if not receipts and not force and tree.size_bytes(FILE_NAME) is not None:
        raise TreeConflict(
            f"holds a {FILE_NAME} whose receipts are gone; name another folder, or --force",
            resource=tree.location,
        )


def _useful_jobs(paths: Iterable[str], jobs: int) -> int:
    if any(is_url(path) for path in paths):
        return jobs
    files = [file for file in map(Path, paths) if file.is_file()]
    total_bytes = sum(file.stat().st_size for file in files)
    return min(jobs, len(files), 1 + total_bytes // _WORTH_A_PROCESS_BYTES)


def _prepare_missing(
    pool: Workers, plan: Plan, progress: Progress
) -> tuple[list[Outcome], list[Failure]]:
    progress.begin(plan.frame_total)
    prepared, failures = [], []
    for job, result in pool.run(prepare_source, plan.jobs):
        if isinstance(result, Exception):
            failures.append(failure_of(job.source.path, result))
            progress.advance(job.frame_count, 0)
        else:
            prepared.append(result)
            progress.advance(job.frame_count, result.receipt.pixel_bytes)
    return prepared, failures


def _outdated(receipts: dict[str, Receipt], prepared: Iterable[Receipt]) -> set[str]:
    """Files of what has been done again under other names."""
    again = (receipts[r.source_sha256] for r in prepared if r.source_sha256 in receipts)
    return {path for receipt in again for path in receipt.files}


def _different_twins(
    pool: Workers, twins: Sequence[Twin], receipts: dict[str, Receipt]
) -> list[Failure]:
    """Those whose pixels are not those of the file that was prepared under the same UID."""
    holders = {twin.source.sha256: receipts.get(twin.holder_sha256) for twin in twins}
    tasks = [HashTask(twin.source, _undecoded(holders[twin.source.sha256])) for twin in twins]
    failures = []
    for task, hashes in pool.run(hash_source, tasks):
        source = task.source
        if isinstance(hashes, Exception):
            failures.append(failure_of(source.path, hashes))
            continue
        holder = holders[source.sha256]
        if holder is None or list(hashes) != holder.stored:
            conflict = TreeConflict("another file has its SOP Instance UID, and other pixels")
            failures.append(failure_of(source.path, conflict))
    return failures


def _undecoded(holder: Receipt | None) -> bool:
    return holder is not None and any(map(is_undecoded, holder.stored))


def _present(tree: Tree, sources: Iterable[Source], receipts: dict[str, Receipt]) -> list[Receipt]:
    """Receipts whose files are there: this run's sources in order, then all others."""
    first = [source.sha256 for source in sources if source.sha256 in receipts]
    ordered = dict.fromkeys([*first, *sorted(receipts)])
    return [receipts[sha256] for sha256 in ordered if files_are_there(tree, receipts[sha256])]


def _in_order(paths: Sequence[str], failures: Iterable[Failure]) -> tuple[Failure, ...]:
    order = {path: index for index, path in enumerate(paths)}
    return tuple(sorted(failures, key=lambda failure: order.get(failure.path, len(order))))
