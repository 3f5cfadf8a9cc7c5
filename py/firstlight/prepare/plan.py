"""What is there already, what is to be done under which number, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.prepare.find import Identity, Source, fingerprint, identify
from firstlight.prepare.layout import TreeConflict
from firstlight.prepare.receipts import files_are_there
from firstlight.prepare.work import Failure, Job, failure_of, quiet_pydicom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firstlight.prepare.encode import Proof
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.recipe import Recipe
    from firstlight.prepare.tree import Tree
    from firstlight.prepare.workers import Workers


@dataclass(frozen=True, slots=True)
class Twin:
    """A source with the SOP Instance UID of another; harmless if its pixels are the same."""

    source: Source
    holder_sha256: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Sources in the order named, sorted by what is to become of them."""

    sources: tuple[Source, ...]
    done: tuple[Source, ...]
    jobs: tuple[Job, ...]
    frame_total: int
    twins: tuple[Twin, ...]
    failures: tuple[Failure, ...]


def make_plan(
    tree: Tree,
    paths: Iterable[str],
    receipts: dict[str, Receipt],
    recipe: Recipe,
    pool: Workers,
    *,
    force: bool,
    proof: Proof,
) -> Plan:
    """Hash every file, and read the header of those that have no complete receipt.

    Of several files with the same content only the first counts. ``force`` does again what was
    prepared with other choices, which is refused otherwise.
    """
    sources, failures = _fingerprints(paths, pool)
    done, unknown = [], []
    for source in sources:
        receipt = receipts.get(source.sha256)
        if receipt is None or not files_are_there(tree, receipt):
            unknown.append(source)
        elif receipt.recipe == recipe.digest:
            done.append(source)
        elif force:
            unknown.append(source)
        else:
            conflict = TreeConflict("is there already, prepared with other choices (--force)")
            failures.append(failure_of(source.path, conflict))
    identities: dict[str, Identity] = {}
    for source, found in pool.run(_identify, unknown):
        if isinstance(found, Exception):
            failures.append(failure_of(source.path, found))
        else:
            identities[source.sha256] = found
    readable = [source for source in unknown if source.sha256 in identities]
    missing, twins = _without_twins(readable, identities, receipts)
    return Plan(
        sources=tuple(sources),
        done=tuple(done),
        jobs=_numbered(tree, recipe, missing, identities, receipts, force=force, proof=proof),
        frame_total=sum(identities[source.sha256].frame_count for source in missing),
        twins=tuple(twins),
        failures=tuple(failures),
    )


def _without_twins(
    sources: list[Source], identities: dict[str, Identity], receipts: dict[str, Receipt]
) -> tuple[list[Source], list[Twin]]:
    """Those that are the first with their SOP Instance UID, and the others."""
    holders = {receipt.source_uid: sha256 for sha256, receipt in receipts.items()}
    first, twins = [], []
    for source in sources:
        uid = identities[source.sha256].sop_instance_uid
        holder = holders.setdefault(uid, source.sha256)
        if holder == source.sha256:
            first.append(source)
        else:
            twins.append(Twin(source, holder))
    return first, twins


def _fingerprints(paths: Iterable[str], pool: Workers) -> tuple[list[Source], list[Failure]]:
    found: dict[str, Source] = {}
    failures = []
    order = list(paths)
    for path, source in pool.run(fingerprint, order):
        if isinstance(source, Exception):
            failures.append(failure_of(path, source))
        else:
            found[path] = source
    sources: dict[str, Source] = {}
    for path in order:
        if path in found:
            sources.setdefault(found[path].sha256, found[path])
    return list(sources.values()), failures


def _identify(source: Source) -> Identity:
    with quiet_pydicom():
        return identify(source)


def _numbered(
    tree: Tree,
    recipe: Recipe,
    missing: list[Source],
    identities: dict[str, Identity],
    receipts: dict[str, Receipt],
    *,
    force: bool,
    proof: Proof,
) -> tuple[Job, ...]:
    """Give every source its image number: its own from before, else the lowest free, in order.

    Numbers follow from the sources and their order alone, so a resumed run gives the same.
    """
    taken = {receipt.image_number for receipt in receipts.values()}
    candidates = range(1, len(taken) + len(missing) + 1)
    free = iter([number for number in candidates if number not in taken])
    return tuple(
        Job(
            source=source,
            location=tree.location,
            recipe=recipe,
            image_number=receipts[source.sha256].image_number
            if source.sha256 in receipts
            else next(free),
            frame_count=identities[source.sha256].frame_count,
            replace=force or source.sha256 in receipts,
            proof=proof,
        )
        for source in missing
    )
