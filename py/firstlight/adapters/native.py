"""The DecoderPool of CPython: native decoders in threads, by the codec names of `dicom.codecs`."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from firstlight.adapters.native_codecs import decode_frame
from firstlight.errors import DecodeError, FirstlightError, LimitExceeded
from firstlight.ports import MAX_READ_BYTES, Decoded, DecodeFailed
from firstlight.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from numpy.typing import NDArray

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.ports import DecodeEvent, DecodeOrder, Piece, Transport


class NativePool:
    """A `firstlight.ports.DecoderPool`; a context manager that owns its threads.

    Pixels go to ``keep`` with the resolution level they are of. With ``only_level`` that level
    alone is decoded (the full image where it has fewer): coarser orders are reported done without
    work, finer ones hold its bytes too. ``enough`` is told at once when an order has all of them.
    Full images of more than ``max_samples`` are refused; the codecs have a limit of their own.
    """

    def __init__(
        self,
        transport: Transport,
        keep: Callable[[DecodeOrder, NDArray[Any], int], None],
        *,
        only_level: int | None = None,
        enough: Callable[[DecodeOrder], None] | None = None,
        max_samples: int | None = None,
        workers: int = os.cpu_count() or 1,
    ) -> None:
        self._transport = transport
        self._keep = keep
        self._only_level = only_level
        self._enough = enough
        self._max_samples = max_samples
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decoder")
        self._tasks: set[asyncio.Task[None]] = set()
        self._sink: Callable[[DecodeEvent], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def capacity(self) -> int:
        return self._workers

    def listen(self, sink: Callable[[DecodeEvent], None]) -> None:
        self._sink = sink

    def decode(self, order: DecodeOrder) -> None:
        level = order.resolution_level
        if self._only_level is not None:
            wanted = min(self._only_level, order.decomposition_levels)
            if level < wanted:
                done = Decoded(order.job, 0, 0.0)
                asyncio.get_running_loop().call_soon(self._report, done)
                return
            level = wanted
            if self._enough is not None:
                self._enough(order)
        task = asyncio.get_running_loop().create_task(self._run(order, level))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report(self, event: DecodeEvent) -> None:
        if self._sink is not None:
            self._sink(event)

    async def _run(self, order: DecodeOrder, level: int) -> None:
        event: DecodeEvent
        try:
            event = await self._decode(order, level)
        except FirstlightError as error:
            error.frame_index = order.frame_index
            event = DecodeFailed(order.job, error)
        except Exception as error:  # a job that is never reported would hold its frame for ever
            text = f"{type(error).__name__}: {error}"
            event = DecodeFailed(order.job, DecodeError(text, frame_index=order.frame_index))
        self._report(event)

    async def _decode(self, order: DecodeOrder, level: int) -> Decoded:
        self._check(order.image)
        data = b"".join([await self._bytes_of(piece) for piece in order.pieces])
        started_s = time.perf_counter()
        loop = asyncio.get_running_loop()
        values = await loop.run_in_executor(self._threads, decode_frame, order, data, level)
        elapsed_ms = 1000 * (time.perf_counter() - started_s)
        self._keep(order, values, level)
        return Decoded(order.job, values.nbytes, elapsed_ms)

    def _check(self, image: ImageAttributes) -> None:
        samples = image.rows * image.columns * image.samples_per_pixel
        if self._max_samples is not None and samples > self._max_samples:
            size = f"{image.columns} x {image.rows} x {image.samples_per_pixel}"
            raise LimitExceeded(f"{size} samples are more than {self._max_samples}")

    async def _bytes_of(self, piece: Piece) -> bytes:
        start, stop = piece.extent.start, piece.extent.stop
        assert stop is not None
        chunks = [
            await self._transport.read(piece.segment, ByteRange(at, min(at + MAX_READ_BYTES, stop)))
            for at in range(start, stop, MAX_READ_BYTES)
        ]
        return b"".join(chunks)
