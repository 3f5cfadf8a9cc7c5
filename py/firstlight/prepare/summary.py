"""What one run did, as its report and its table say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firstlight.prepare.plan import Plan
    from firstlight.prepare.receipts import Receipt
    from firstlight.prepare.work import Failure, Outcome


@dataclass(frozen=True, slots=True)
class SyntaxSummary:
    """Sources of one transfer syntax; ``seconds`` are those of all workers together."""

    transfer_syntax_uid: str
    name: str
    files: int
    frames: int
    bytes_in: int
    pixel_bytes: int
    bytes_out: int
    ratio: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run did.

    ``files_duplicate`` have the content, or the SOP Instance UID and the pixels, of another;
    ``files_passed_over`` lay in the folders and are not DICOM. Bytes and frames are those
    prepared in this run: ``bytes_in`` of the sources, ``pixel_bytes`` uncompressed, ``bytes_out``
    of the codestreams, ``bytes_written`` of all that was written beside them too. ``ratio`` is
    ``pixel_bytes`` to ``bytes_out``.
    """

    files_found: int
    files_prepared: int
    files_already_there: int
    files_duplicate: int
    files_passed_over: int
    frames: int
    bytes_in: int
    pixel_bytes: int
    bytes_out: int
    bytes_written: int
    ratio: float
    seconds: float
    by_syntax: tuple[SyntaxSummary, ...]
    failures: tuple[Failure, ...]


def summed_up(
    paths: Sequence[str],
    passed_over: int,
    plan: Plan,
    outcomes: Sequence[Outcome],
    failures: tuple[Failure, ...],
    *,
    seconds: float,
) -> Summary:
    """The summary of a run of ``seconds``."""
    files_failed = len({failure.path for failure in failures} & set(paths))
    prepared = [outcome.receipt for outcome in outcomes]
    of_syntax: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        of_syntax.setdefault(outcome.transfer_syntax_uid, []).append(outcome)
    return Summary(
        files_found=len(paths),
        files_prepared=len(prepared),
        files_already_there=len(plan.done),
        files_duplicate=len(paths) - len(prepared) - len(plan.done) - files_failed,
        files_passed_over=passed_over,
        frames=_frames(prepared),
        bytes_in=sum(receipt.source_bytes for receipt in prepared),
        pixel_bytes=sum(receipt.pixel_bytes for receipt in prepared),
        bytes_out=sum(receipt.codestream_bytes for receipt in prepared),
        bytes_written=sum(sum(receipt.files.values()) for receipt in prepared),
        ratio=_ratio(prepared),
        seconds=round(seconds, 3),
        by_syntax=tuple(_of_syntax(uid, of_syntax[uid]) for uid in sorted(of_syntax)),
        failures=failures,
    )


def _of_syntax(transfer_syntax_uid: str, outcomes: Sequence[Outcome]) -> SyntaxSummary:
    prepared = [outcome.receipt for outcome in outcomes]
    return SyntaxSummary(
        transfer_syntax_uid=transfer_syntax_uid,
        name=UID(transfer_syntax_uid).name,
        files=len(prepared),
        frames=_frames(prepared),
        bytes_in=sum(receipt.source_bytes for receipt in prepared),
        pixel_bytes=sum(receipt.pixel_bytes for receipt in prepared),
        bytes_out=sum(receipt.codestream_bytes for receipt in prepared),
        ratio=_ratio(prepared),
        seconds=round(sum(outcome.seconds for outcome in outcomes), 3),
    )


def _frames(prepared: Iterable[Receipt]) -> int:
    return sum(len(receipt.series.frames) for receipt in prepared)


def _ratio(prepared: Sequence[Receipt]) -> float:
    bytes_out = sum(receipt.codestream_bytes for receipt in prepared)
    pixel_bytes = sum(receipt.pixel_bytes for receipt in prepared)
    return round(pixel_bytes / bytes_out, 3) if bytes_out else 0.0
