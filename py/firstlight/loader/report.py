"""Facts for the page, as plain data with the page's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firstlight.schedule.states import FrameLedger
    from firstlight.sources.base import Series


def frame_state(frame: FrameLedger, reversible: bool) -> dict[str, object]:
    """One frame: quality status, level and bytes held, and the error if any.

    ``status`` is ``waiting`` (nothing here yet), ``loading``, ``lossless``, ``complete`` (final,
    but lossy by its transfer syntax) or ``failed``.
    """
    if frame.error is not None:
        status = "failed"
    elif frame.complete:
        status = "lossless" if reversible else "complete"
    elif frame.held_stop or frame.request is not None:
        status = "loading"
    else:
        status = "waiting"
    return {
        "frameIndex": frame.index,
        "status": status,
        "resolutionLevel": frame.ready_level if frame.ready_level >= 0 else None,
        "decompositionLevels": frame.final_level if frame.levels else None,
        "heldBytes": frame.held_stop,
        "totalBytes": frame.goal_stop or frame.length,
        "error": None if frame.error is None else frame.error.record(),
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


def series_record(index: int, series: Series) -> dict[str, object]:
    """One series with the attributes of every frame."""
    return {
        "index": index,
        "modality": series.modality,
        "description": series.description,
        "number": series.number,
        "reversible": series.reversible,
        "frames": [frame.image.to_json() for frame in series.frames],
    }
