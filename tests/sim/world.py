"""A world on a virtual clock around the real scheduler: one shared link, decoder workers, faults.

Time only moves from event to event, so a run is exact and repeatable, and takes no real time.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

from firstlight.errors import FirstlightError, ShortBody
from firstlight.schedule import Capacity, Scheduler
from firstlight.schedule import commands as do
from firstlight.schedule import events as on

CT_ENDS = (575, 1594, 4898, 16424, 60468, 228382)
RADIOGRAPH_ENDS = (3264, 9708, 33143, 122277, 490109, 2040946, 8383339)


@dataclass
class Exchange:
    """A request being served: bytes flow while it is alive, in turn with the others."""

    request: int
    frame: int
    start: int
    at: float
    stop: int
    milestones: list[int]
    fail_at: int | None = None
    open: bool = False
    cancelled: bool = False


@dataclass
class World:
    """Frames with these level ends behind a link of this rate, decoded in this time."""

    frames: list[tuple[int, ...]]
    bytes_per_ms: float = 3750.0
    latency_ms: float = 10.0
    decode_ms: float = 2.0
    capacity: Capacity = field(default_factory=Capacity)
    described: bool = True
    faults: dict[int, tuple[int, FirstlightError]] = field(default_factory=dict)
    undecodable: dict[int, FirstlightError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(len(self.frames), self.capacity)
        self.now = 0.0
        self.log: list[tuple[float, object]] = []
        self.shown: dict[int, list[tuple[float, int]]] = {i: [] for i in range(len(self.frames))}
        self.wire_bytes = 0
        self.fetched: dict[int, list[tuple[int, int]]] = {i: [] for i in range(len(self.frames))}
        self.max_running = 0
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, object]] = []
        self._exchanges: dict[int, Exchange] = {}
        if self.described:
            for index, ends in enumerate(self.frames):
                self.tell(on.Described(index, ends, len(ends), complete=True))

    # -- in -------------------------------------------------------------------------------------

    def tell(self, event: on.Event) -> None:
        for command in self.scheduler.handle(event, self.now):
            self.log.append((self.now, command))
            self._obey(command)

    def at(self, time_ms: float, event: on.Event) -> None:
        heapq.heappush(self._agenda, (time_ms, next(self._order), event))

    def run(self, until_ms: float = float("inf")) -> None:
        """Move time on until nothing is left to happen, or to ``until_ms``."""
        while True:
            due = self._agenda[0][0] if self._agenda else float("inf")
            wire = self._next_wire_time()
            soonest = min(due, wire)
            if soonest == float("inf") or soonest > until_ms:
                if until_ms != float("inf"):
                    self._flow(until_ms - self.now)
                    self.now = until_ms
                return
            self._flow(soonest - self.now)
            self.now = soonest
            if due <= wire:
                _, _, what = heapq.heappop(self._agenda)
                what() if callable(what) else self.tell(what)
            else:
                self._wire_events()

    # -- what the commands do -------------------------------------------------------------------

    def _obey(self, command: do.Command) -> None:
        match command:
            case do.Fetch(request, frame, extent, milestones, _):
                total = self.frames[frame][-1]
                stop = total if extent.stop is None else min(extent.stop, total)
                fault_stop, _ = self.faults.get(frame, (None, None))
                exchange = Exchange(
                    request, frame, extent.start, extent.start, stop, sorted(milestones), fault_stop
                )
                self._exchanges[request] = exchange
                self.max_running = max(self.max_running, len(self._exchanges))
                self._later(self.latency_ms, lambda: self._opened(exchange))
            case do.Watch(request, _, milestones):
                exchange = self._exchanges[request]
                exchange.milestones = sorted({*exchange.milestones, *milestones})
                for point in [p for p in milestones if p <= exchange.at]:
                    self._later(0, lambda p=point: self.tell(on.Reached(request, p)))
            case do.Cancel(request):
                if exchange := self._exchanges.pop(request, None):
                    self.fetched[exchange.frame].append((exchange.start, int(exchange.at)))
                    self._later(0.1, lambda: self.tell(on.Closed(request, int(exchange.at))))
            case do.Describe(frame, held):
                self._later(0.2, lambda: self._describe(frame, held))
            case do.Decode(job, frame, level, stop):
                assert stop == self.frames[frame][level]
                self._later(self.decode_ms, lambda: self._decode(job, frame, level))

    def _later(self, delay: float, what: object) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), what))

    def _opened(self, exchange: Exchange) -> None:
        if exchange.request in self._exchanges:
            exchange.open = True
            self.tell(on.Opened(exchange.request, self.frames[exchange.frame][-1], True))

    def _describe(self, frame: int, held: int) -> None:
        """As packet headers do: what is held tells where the next level ends."""
        ends = self.frames[frame]
        known = sum(end + 64 <= held for end in ends) + 1 if held >= 172 else 0
        if known:
            known = min(known, len(ends))
            wanted = None if known == len(ends) else ends[known - 1] + 64
            self.tell(on.Described(frame, ends[:known], len(ends), known == len(ends), wanted))

    def _decode(self, job: int, frame: int, level: int) -> None:
        if frame in self.undecodable:
            self.tell(on.DecodeFailed(job, self.undecodable[frame]))
            return
        self.shown[frame].append((self.now, level))
        self.tell(on.Decoded(job, 1000 * 4**level))

    # -- the wire -------------------------------------------------------------------------------

    def _flowing(self) -> list[Exchange]:
        return [e for e in self._exchanges.values() if e.open]

    def _next_wire_time(self) -> float:
        flowing = self._flowing()
        if not flowing:
            return float("inf")
        rate = self.bytes_per_ms / len(flowing)
        return self.now + min((self._next_point(e) - e.at) / rate for e in flowing)

    @staticmethod
    def _next_point(exchange: Exchange) -> float:
        points = [p for p in (*exchange.milestones, exchange.stop) if p > exchange.at]
        if exchange.fail_at is not None and exchange.fail_at > exchange.at:
            points.append(exchange.fail_at)
        return min(points, default=exchange.at)

    def _flow(self, elapsed_ms: float) -> None:
        flowing = self._flowing()
        for exchange in flowing:
            amount = elapsed_ms * self.bytes_per_ms / len(flowing)
            exchange.at = min(exchange.at + amount, exchange.stop)
            self.wire_bytes += amount

    def _wire_events(self) -> None:
        for exchange in self._flowing():
            exchange.at = round(exchange.at, 3)
            whole = round(exchange.at)
            if abs(exchange.at - whole) < 0.01:
                exchange.at = whole
            if exchange.fail_at is not None and exchange.at >= exchange.fail_at:
                self._close(exchange)
                error = self.faults.pop(exchange.frame)[1]
                self.tell(on.FetchFailed(exchange.request, int(exchange.at), error))
                continue
            while exchange.milestones and exchange.milestones[0] <= exchange.at:
                point = exchange.milestones.pop(0)
                if point > exchange.start:
                    self.tell(on.Reached(exchange.request, point))
            if exchange.at >= exchange.stop and exchange.request in self._exchanges:
                self._close(exchange)
                self.tell(on.Closed(exchange.request, exchange.stop))

    def _close(self, exchange: Exchange) -> None:
        del self._exchanges[exchange.request]
        self.fetched[exchange.frame].append((exchange.start, int(exchange.at)))

    # -- what a test asks -----------------------------------------------------------------------

    def commands(self, kind: type) -> list[tuple[float, object]]:
        return [(time, command) for time, command in self.log if isinstance(command, kind)]

    def running(self) -> int:
        return len(self._exchanges)


def short_body() -> ShortBody:
    return ShortBody("the body ended early", resource="sim")
