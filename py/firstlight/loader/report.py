"""Facts for the page, as plain data with the page's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firstlight.retrieve.status import Quality
from firstlight.volume import assemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.schedule.commands import StageEnded
    from firstlight.schedule.ledgers import Ledgers, Picture
    from firstlight.schedule.states import FrameLedger
    from firstlight.schedule.wants import LoadingOrder
    from firstlight.sources.base import Series


def frame_state(
    index: int, ledgers: Ledgers, order: LoadingOrder, *, exact: bool
) -> dict[str, object]:
    """One frame: quality status, level and bytes held, and the error if any.

    ``exact``: what is shown of it is lossless once it is complete. ``status`` is ``waiting``
    (nothing here yet), ``loading``, ``retrying`` (a request failed and will be tried again),
    ``lossless``, ``complete`` (final, but lossy), ``configured`` (all that the configuration asks
    for, though not the full resolution) or ``failed``.
    """
    frames, picture = ledgers.of(index), ledgers.pictures[index]
    shown = frames[0]
    if picture.is_own and picture.representation:
        shown = ledgers.get(index, picture.representation)
    error = order.error(index)
    return {
        "frameIndex": index,
        "status": _status(frames, picture, order, exact=exact),
        "resolutionLevel": picture.level if picture.is_own else None,
        "decompositionLevels": shown.final_level if shown.levels else None,
        "heldBytes": sum(frame.held_stop for frame in frames),
        "totalBytes": shown.goal_stop or shown.length,
        "error": None if error is None else error.record(),
        "quality": None if picture.quality is None else picture.quality.name,
        "replicaOf": picture.replica_of,
        "stage": order.stage_id(index),
        "attempts": max(frame.attempts for frame in frames),
    }


def _status(
    frames: tuple[FrameLedger, ...], picture: Picture, order: LoadingOrder, *, exact: bool
) -> str:
    index = frames[0].index
    if order.error(index) is not None:
        return "failed"
    if picture.quality is Quality.FULL_RESOLUTION:
        return "lossless" if exact else "complete"
    if any(frame.retry_at_ms is not None for frame in frames):
        return "retrying"
    if (picture.is_own or frames[0].is_limited) and order.is_over(index):
        return "configured"
    begun = any(f.held_stop or f.promised_stop or f.request is not None for f in frames)
    return "loading" if begun else "waiting"


def stage_record(stage: StageEnded) -> dict[str, object]:
    """A stage that is over, with the names of the page's ``stage-complete``."""
    return {
        "stageId": stage.stage_id,
        "numberOfImages": stage.number_of_images,
        "numberOfFailures": stage.number_of_failures,
        "numberOfSkipped": stage.number_of_skipped,
        "startDurationMs": stage.start_duration_ms,
        "stageDurationMs": stage.stage_duration_ms,
    }


def series_list(series: tuple[Series, ...]) -> list[dict[str, object]]:
    """All series of a source, in a line each."""
    return [
        {
            "index": index,
            "modality": one.modality,
            "description": one.description,
            "number": one.number,
            "frameCount": len(one.frames),
        }
        for index, one in enumerate(series)
    ]


def series_record(index: int, series: Series, notices: Sequence[str] = ()) -> dict[str, object]:
    """One series with the attributes of every frame; ``notices`` are those of the whole source.

    ``volume`` is the `VolumeGeometry` that the frames make up; without one ``noVolume`` says why.
    """
    assembly = assemble([frame.image for frame in series.frames])
    return {
        "index": index,
        "modality": series.modality,
        "description": series.description,
        "number": series.number,
        "reversible": series.reversible,
        "notices": [*notices, *series.notices, *assembly.notices],
        "frames": [frame.image.to_json() for frame in series.frames],
        "volume": assembly.volume and assembly.volume.to_json(),
        "noVolume": assembly.reason,
    }
