"""One direction of the shaped link: connections wait in turns, bytes travel, bytes arrive."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from firstlight.serve.link import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE_MS = 50.0
"""What one connection may queue before its sender is held back, in time on the link."""

MIN_QUEUE_BYTES = 64 * 1024

TURN_MS = 1.0
"""How long one connection keeps the link before the next has its turn."""

MIN_TURN_BYTES = 1460


class Wire:
    """Sends the bytes of all its flows one after another, and delivers them after a delay."""

    def __init__(self, bits_per_s: float, delay_ms: float) -> None:
        bytes_per_ms = bits_per_s / 8000
        self.queue_bytes = max(MIN_QUEUE_BYTES, int(bytes_per_ms * QUEUE_MS))
        self.carried_bytes = 0
        self._turn_bytes = max(MIN_TURN_BYTES, int(bytes_per_ms * TURN_MS))
        self._delay_s = delay_ms / 1000
        self._bucket = TokenBucket(bits_per_s)
        self._waiting: deque[Flow] = deque()
        self._travelling: deque[tuple[float, Flow, memoryview]] = deque()
        self._next_turn: asyncio.TimerHandle | None = None
        self._next_arrival: asyncio.TimerHandle | None = None

    def join(self, flow: Flow) -> None:
        """Give a flow that has something to send its place among those waiting."""
        loop = asyncio.get_running_loop()
        flow.ready_s = loop.time()
        self._waiting.append(flow)
        if self._next_turn is None:
            self._next_turn = loop.call_at(self._bucket.free_at_s, self._send)

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        while self._waiting and self._bucket.free_at_s <= now_s:
            flow = self._waiting.popleft()
            piece = flow.take(self._turn_bytes)
            if piece is None:
                continue
            left_s = self._bucket.send(len(piece), ready_s=flow.ready_s, now_s=now_s)
            self.carried_bytes += len(piece)
            self._travelling.append((left_s + self._delay_s, flow, piece))
            self._waiting.append(flow)
        self._next_turn = (
            loop.call_at(self._bucket.free_at_s, self._send) if self._waiting else None
        )
        if self._next_arrival is None and self._travelling:
            self._next_arrival = loop.call_at(self._travelling[0][0], self._arrive)

    def _arrive(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        while self._travelling and self._travelling[0][0] <= now_s:
            _, flow, piece = self._travelling.popleft()
            flow.deliver(piece)
        self._next_arrival = (
            loop.call_at(self._travelling[0][0], self._arrive) if self._travelling else None
        )


class Flow:
    """The bytes of one connection in one direction: a bounded queue in front of the wire.

    ``deliver`` receives each piece at the far end, an empty one for "the sender has finished".
    ``hold_sender`` is told True when the queue is full and False when there is room again.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        deliver: Callable[[memoryview], None],
        hold_sender: Callable[[bool], None],
    ) -> None:
        self.ready_s = 0.0
        self._wire = wire
        self._deliver = deliver
        self._hold_sender = hold_sender
        self._queue: deque[memoryview] = deque()
        self._queued_bytes = 0
        self._joined = False
        self._sender_held = False
        self._receiver_busy = False
        self._dropped = False

    def push(self, data: bytes) -> None:
        """Queue bytes from the sender; empty ones say that it has finished."""
        if self._dropped:
            return
        self._queue.append(memoryview(data))
        self._queued_bytes += len(data)
        if self._queued_bytes > self._wire.queue_bytes and not self._sender_held:
            self._sender_held = True
            self._hold_sender(True)
        self._join()

    def receiver_busy(self, busy: bool) -> None:
        """Keep off the wire while the receiver does not read, as a full TCP window would."""
        self._receiver_busy = busy
        self._join()

    def drop(self) -> None:
        """Forget what is queued, and whatever still travels."""
        self._dropped = True
        self._queue.clear()
        self._queued_bytes = 0

    def take(self, limit_bytes: int) -> memoryview | None:
        """The next piece for the wire, None (and out of the line) when there is none to send."""
        if not self._queue or self._receiver_busy:
            self._joined = False
            return None
        piece = self._queue.popleft()
        if len(piece) > limit_bytes:
            self._queue.appendleft(piece[limit_bytes:])
            piece = piece[:limit_bytes]
        self._queued_bytes -= len(piece)
        if self._sender_held and self._queued_bytes <= self._wire.queue_bytes // 2:
            self._sender_held = False
            self._hold_sender(False)
        return piece

    def deliver(self, piece: memoryview) -> None:
        """Hand a piece that has travelled to the receiver, unless it is gone."""
        if not self._dropped:
            self._deliver(piece)

    def _join(self) -> None:
        if self._queue and not self._joined and not self._receiver_busy:
            self._joined = True
            self._wire.join(self)
