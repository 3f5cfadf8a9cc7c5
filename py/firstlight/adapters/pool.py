"""The decoder workers as `ports.DecoderPool`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firstlight import errors, ports
from firstlight.adapters.bridge import make_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from firstlight.adapters.bridge import Bridge

JOBS_PER_WORKER = 2
"""One being decoded and one waiting in the worker, so that it never waits for Python."""

SILENCE_LIMIT_S = 30.0
"""The largest image that is accepted decodes in a tenth of this on a slow machine."""


@dataclass(slots=True)
class _Job:
    """An order handed to a worker; ``again`` when that is its second one."""

    worker: int
    order: ports.DecodeOrder
    again: bool = False


class MessagePool:
    """`ports.DecoderPool`: gives each job to the decoder worker with the fewest.

    A worker that dies, or says nothing for `SILENCE_LIMIT_S` while it has a job, is replaced; its
    jobs are run again, once.
    """

    def __init__(self, bridge: Bridge, worker_count: int) -> None:
        self._bridge = bridge
        self._load = [0] * worker_count
        self._heard_s: list[float | None] = [None] * worker_count
        self._watch_timer: asyncio.TimerHandle | None = None
        self._jobs: dict[int, _Job] = {}
        self._sink: Callable[[ports.DecodeEvent], None] = lambda event: None

    @property
    def capacity(self) -> int:
        return JOBS_PER_WORKER * len(self._load)

    def listen(self, sink: Callable[[ports.DecodeEvent], None]) -> None:
        self._sink = sink

    def decode(self, order: ports.DecodeOrder) -> None:
        worker = self._load.index(min(self._load))
        self._hand_over(_Job(worker, order))

    def _hand_over(self, job: _Job) -> None:
        self._jobs[job.order.job] = job
        self._load[job.worker] += 1
        self._watch(job.worker)
        self._bridge.decode(json.dumps(_decode_message(job.order, job.worker)))

    def _watch(self, worker: int) -> None:
        """Start the worker's time of silence anew; an idle worker may be silent."""
        loop = asyncio.get_running_loop()
        self._heard_s[worker] = loop.time() if self._load[worker] else None
        if self._watch_timer is None and self._load[worker]:
            self._watch_timer = loop.call_later(SILENCE_LIMIT_S, self._replace_silent)

    def _replace_silent(self) -> None:
        """One timer for all workers, set anew when it rings: one for each job would cost more."""
        loop = asyncio.get_running_loop()
        due_s = [
            (worker, heard_s + SILENCE_LIMIT_S)
            for worker, heard_s in enumerate(self._heard_s)
            if heard_s is not None
        ]
        self._watch_timer = None
        for worker, at_s in due_s:
            if at_s <= loop.time():
                self._heard_s[worker] = loop.time()
                self._bridge.replaceDecoder(worker)
        if due_s:
            wait_s = min(at_s - loop.time() for _, at_s in due_s)
            wait_s = wait_s if wait_s > 0 else SILENCE_LIMIT_S
            self._watch_timer = loop.call_later(wait_s, self._replace_silent)

    # -- called from JavaScript -----------------------------------------------------------------

    def decoded(self, job: int, stored_bytes: int, elapsed_ms: float) -> None:
        if self._finished(job):
            self._sink(ports.Decoded(job, stored_bytes, elapsed_ms))

    def undecoded(self, job: int, kind: str, message: str) -> None:
        if self._finished(job):
            self._sink(ports.DecodeFailed(job, make_error(kind, message, None, None)))

    def replaced(self, worker: int) -> None:
        """A new worker stands in the place of one that died or was silent."""
        lost = [job for job in self._jobs.values() if job.worker == worker]
        for job in lost:
            self._finished(job.order.job)
        for job in lost:
            if job.again:
                error = errors.DecodeError("the decoder died of it twice")
                self._sink(ports.DecodeFailed(job.order.job, error))
            else:
                self._hand_over(_Job(worker, job.order, again=True))

    def _finished(self, number: int) -> bool:
        job = self._jobs.pop(number, None)
        if job is None:
            return False
        self._load[job.worker] -= 1
        self._watch(job.worker)
        return True


def _decode_message(order: ports.DecodeOrder, worker: int) -> dict[str, object]:
    image, inflated = order.image, order.inflated
    return {
        "kind": "decode",
        "job": order.job,
        "worker": worker,
        "seriesIndex": order.series_index,
        "frameIndex": order.frame_index,
        "codec": order.codec,
        "pieces": [[p.segment, p.extent.start, p.extent.stop] for p in order.pieces],
        "resolutionLevel": order.resolution_level,
        "decompositionLevels": order.decomposition_levels,
        "image": {
            "rows": image.rows,
            "columns": image.columns,
            "samplesPerPixel": image.samples_per_pixel,
            "photometricInterpretation": image.photometric_interpretation,
            "planarConfiguration": image.planar_configuration,
            "bitsAllocated": image.bits_allocated,
            "bitsStored": image.bits_stored,
            "highBit": image.high_bit,
            "pixelRepresentation": image.pixel_representation,
            "isFloat": image.is_float,
            "valueRepresentation": image.value_representation,
            "firstBit": order.first_bit,
            "hasOwnSize": order.has_own_size,
            "wantsCells": any(overlay.bit_position is not None for overlay in image.overlays),
        },
        "inflated": None if inflated is None else [inflated.start, inflated.stop],
        **({"truncated": True} if order.truncated else {}),
        **({"region": order.region} if order.region is not None else {}),
        "representation": order.representation,
        "quality": order.quality,
    }
