"""What is there already, what is to be done under which number, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight.prepare.find import Identity, Source, fingerprint, identify
from firstlight.prepare.receipts import is_complete
from firstlight.prepare.work import Failure, Job, failure_of, quiet_pydicom

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from firstlight.prepare.receipts import Receipt
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
    tree: Tree, paths: Iterable[Path], receipts: dict[str, Receipt], layout: str, pool: Workers
) -> Plan:
    """Hash every file, and read the header of those that have no complete receipt.

    Of several files with the same content only the first counts.
    """
    sources, failures = _fingerprints(paths)
    done = [source for source in sources if _is_done(tree, receipts.get(source.sha256))]
    finished = {source.sha256 for source in done}
    unknown = [source for source in sources if source.sha256 not in finished]
    identities: dict[str, Identity] = {}
    for source, found in pool.run(_identify, unknown):
        if isinstance(found, Exception):
            failures.append(failure_of(source.path, found))
        else:
            identities[source.sha256] = found
    holders = {receipt.sop_instance_uid: sha256 for sha256, receipt in receipts.items()}
    missing, twins = [], []
    for source in unknown:
        if source.sha256 not in identities:
            continue
        uid = identities[source.sha256].sop_instance_uid
        holder = holders.setdefault(uid, source.sha256)
        if holder == source.sha256:
            missing.append(source)
        else:
            twins.append(Twin(source, holder))
    return Plan(
        sources=tuple(sources),
        done=tuple(done),
        jobs=_numbered(tree, layout, missing, identities, receipts),
        frame_total=sum(identities[source.sha256].frame_count for source in missing),
        twins=tuple(twins),
        failures=tuple(failures),
    )


def _fingerprints(paths: Iterable[Path]) -> tuple[list[Source], list[Failure]]:
    sources: dict[str, Source] = {}
    failures = []
    for path in paths:
        try:
            source = fingerprint(path)
        except OSError as error:
            failures.append(failure_of(path, error))
        else:
            sources.setdefault(source.sha256, source)
    return list(sources.values()), failures


def _is_done(tree: Tree, receipt: Receipt | None) -> bool:
    return receipt is not None and is_complete(tree, receipt)


def _identify(source: Source) -> Identity:
    with quiet_pydicom():
        return identify(source)


def _numbered(
    tree: Tree,
    layout: str,
    missing: list[Source],
    identities: dict[str, Identity],
    receipts: dict[str, Receipt],
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
            root=tree.root,
            layout=layout,
            image_number=receipts[source.sha256].image_number
            if source.sha256 in receipts
            else next(free),
            frame_count=identities[source.sha256].frame_count,
        )
        for source in missing
    )
