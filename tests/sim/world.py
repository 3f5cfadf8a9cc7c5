"""A world on a virtual clock around the real scheduler: one shared link, decoder workers, faults.

Time only moves from event to event, so a run is exact and repeatable, and takes no real time.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

from firstlight.errors import DecodeError, FirstlightError, ShortBody
from firstlight.schedule import Capacity, Scheduler
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.heads import HeadsPiece
from firstlight.schedule.ledgers import FrameFacts

CT_ENDS = (575, 1594, 4898, 16424, 60468, 228382)
RADIOGRAPH_ENDS = (3264, 9708, 33143, 122277, 490109, 2040946, 8383339)


@dataclass
class Exchange:
    """A request being served: bytes flow while it is alive, in turn with the others."""

    request: int
    key: tuple[int, int] | None  # frame and representation, None for the heads file
    start: int
    at: float
    stop: int
    milestones: list[int]
    fail_at: int | None = None
    error: FirstlightError | None = None
    open: bool = False
    over: bool = False
    pieces_noted: int = 0

    @property
    def held(self) -> int:
        return int(self.at)


def heads_of(frames: list[tuple[int, ...]], levels: tuple[int, ...] = (0, 1)) -> list[HeadsPiece]:
    """The heads file that `prepare` would write: all frames to one level, then all to the next."""
    pieces, at, before = [], 0, [0] * len(frames)
    for level in levels:
        for index, ends in enumerate(frames):
            pieces.append(HeadsPiece(at, index, before[index], ends[level]))
            at += ends[level] - before[index]
            before[index] = ends[level]
    return pieces


@dataclass
class World:
    """Frames with these level ends behind a link of this rate, decoded in this time.

    ``faults`` break the next request of a frame at an offset, ``refusals`` answer so many requests
    of a frame with an error. ``others`` are level ends of further representations, by frame and
    number. ``connections``: more requests than that wait for one to end, as in a browser.
    """

    frames: list[tuple[int, ...]]
    bytes_per_ms: float = 3750.0
    latency_ms: float = 10.0
    reaction_ms: float = 0.0
    decode_ms: float = 2.0
    examine_ms: float = 0.2
    capacity: Capacity = field(default_factory=Capacity)
    described: bool = True
    faults: dict[int, tuple[int, FirstlightError]] = field(default_factory=dict)
    refusals: dict[tuple[int, int], list[FirstlightError]] = field(default_factory=dict)
    undecodable: dict[int, FirstlightError] = field(default_factory=dict)
    unsupported: dict[int, set[int]] = field(default_factory=dict)
    others: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)
    heads: list[HeadsPiece] = field(default_factory=list)
    heads_error: FirstlightError | None = None
    connections: int = 1000
    silent: set[int] = field(default_factory=set)
    plan: object = None

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(
            len(self.frames),
            self.capacity,
            plan=self.plan,
            heads=self.heads,
            facts=self._facts,
        )
        self.now = 0.0
        self.busy_until = 0.0
        self.log: list[tuple[float, object]] = []
        self.shown: dict[int, list[tuple[float, int]]] = {i: [] for i in range(len(self.frames))}
        self.wire_bytes = 0.0
        self.fetched: dict[int, list[tuple[int, int]]] = {i: [] for i in range(len(self.frames))}
        self.max_running = 0
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, object]] = []
        self._wakes: list[float] = []
        self._exchanges: dict[int, Exchange] = {}
        self._pieces: dict[int, tuple[HeadsPiece, ...]] = {}
        self._examined: set[tuple[int, int]] = set()

    def _facts(self, index: int, representation: int) -> FrameFacts:
        """What the source tells ahead: of other representations nothing."""
        ends = self.frames[index] if self.described and representation == 0 else ()
        return FrameFacts(level_ends=ends, side_px=512)

    # -- in -------------------------------------------------------------------------------------

    def tell(self, event: on.Event) -> None:
        if not isinstance(event, on.Woken):
            self.busy_until = self.now
        for command in self.scheduler.handle(event, self.now):
            self.log.append((self.now, command))
            self.obey(command)

    def tell_all(self, *events: on.Event) -> None:
        for command in self.scheduler.handle_all(events, self.now):
            self.log.append((self.now, command))
            self.obey(command)

    def exchange_of_somebody_else(self, request: int, stop: int) -> None:
        """The page has asked for the beginning of the heads file."""
        exchange = Exchange(request, None, 0, 0, stop, [], open=True)
        self._exchanges[request] = exchange
        self._pieces[request] = ()

    def at(self, time_ms: float, event: on.Event) -> None:
        heapq.heappush(self._agenda, (time_ms, next(self._order), event))

    def run(self, until_ms: float = float("inf")) -> None:
        """Move time on until nothing is left to happen, or to ``until_ms``."""
        while True:
            due = self._agenda[0][0] if self._agenda else float("inf")
            wake = self._wakes[0] if self._wakes else float("inf")
            wire = self._next_wire_time()
            soonest = min(due, wire, wake)
            if soonest == float("inf") or soonest > until_ms:
                if until_ms != float("inf"):
                    self._flow(until_ms - self.now)
                    self.now = until_ms
                return
            self._flow(soonest - self.now)
            self.now = soonest
            if due <= min(wire, wake):
                _, _, what = heapq.heappop(self._agenda)
                what() if callable(what) else self.tell(what)
            elif wire <= wake:
                self._wire_events()
            else:
                heapq.heappop(self._wakes)
                self.tell(on.Woken())

    # -- what the commands do -------------------------------------------------------------------

    def obey(self, command: do.Command) -> None:
        match command:
            case do.Fetch(request, frame, extent, milestones, _, representation):
                total = self._ends(frame, representation)[-1]
                stop = total if extent.stop is None else min(extent.stop, total)
                key = (frame, representation)
                exchange = Exchange(
                    request, key, extent.start, extent.start, stop, sorted(milestones)
                )
                if representation == 0 and frame in self.faults:
                    exchange.fail_at, exchange.error = self.faults[frame]
                self._begin(exchange, silent=frame in self.silent)
            case do.FetchHeads(request, extent, milestones, pieces, _):
                self._pieces[request] = pieces
                self._begin(
                    Exchange(request, None, extent.start, extent.start, extent.stop, [*milestones])
                )
            case do.Watch(request, _, milestones) | do.WatchHeads(request, milestones, _):
                if isinstance(command, do.WatchHeads):
                    self._pieces[request] = command.pieces
                if exchange := self._exchanges.get(request):
                    exchange.milestones = sorted({*exchange.milestones, *milestones})
                    for point in [p for p in milestones if p <= exchange.at]:
                        self._later(0, lambda p=point: self.tell(on.Reached(request, p)))
            case do.Cancel(request):
                if exchange := self._exchanges.get(request):
                    self._end(exchange)
                    stop = exchange.held
                    self._later(0.1, lambda: self.tell(on.Closed(request, stop)))
            case do.Wake(at_ms):
                heapq.heappush(self._wakes, at_ms)
            case _:
                self._obey_decoding(command)

    def _obey_decoding(self, command: do.Command) -> None:
        match command:
            case do.Describe(frame, held, representation):
                if (frame, representation) not in self._examined:
                    self._examined.add((frame, representation))
                    self._later(
                        self.examine_ms, lambda: self._describe(frame, held, representation)
                    )
            case do.Decode(job, frame, level, stop, _, representation):
                assert stop == self._ends(frame, representation)[level]
                self._later(self.decode_ms, lambda: self._decode(job, frame, level))
            case do.Release(frame, representation, keep_heads):
                if not keep_heads:
                    for exchange in list(self._exchanges.values()):
                        if exchange.key == (frame, representation):
                            self._end(exchange)
                if representation == 0:
                    floor = self._floor(frame) if keep_heads else 0
                    self.fetched[frame] = [(a, b) for a, b in self.fetched[frame] if b <= floor]

    def _ends(self, frame: int, representation: int) -> tuple[int, ...]:
        return self.others[frame, representation] if representation else self.frames[frame]

    def _floor(self, frame: int) -> int:
        return self.scheduler.frames[frame].floor_stop

    def _begin(self, exchange: Exchange, *, silent: bool = False) -> None:
        self._exchanges[exchange.request] = exchange
        self.max_running = max(self.max_running, len(self._exchanges))
        if not silent:
            self._later(self.latency_ms + self.reaction_ms, lambda: self._opened(exchange))

    def _later(self, delay: float, what: object) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), what))

    def _opened(self, exchange: Exchange) -> None:
        if exchange.over:
            return
        ahead = sum(e.request < exchange.request for e in self._exchanges.values())
        if ahead >= self.connections:
            self._later(1.0, lambda: self._opened(exchange))
            return
        if exchange.key is None:
            if self.heads_error is not None:
                self._fail(exchange, self.heads_error)
                return
            total = self.heads[-1].stop
        else:
            if errors := self.refusals.get(exchange.key):
                self._fail(exchange, errors.pop(0))
                return
            total = self._ends(*exchange.key)[-1]
        exchange.open = True
        self.tell(on.Opened(exchange.request, total, True))

    def _describe(self, frame: int, held: int, representation: int) -> None:
        """As packet headers do: what is held tells where the next level ends.

        What comes meanwhile is looked at before the examination is over.
        """
        ends = self._ends(frame, representation)
        known = sum(end + 64 <= held for end in ends) + 1 if held >= 172 else 0
        if known:
            known = min(known, len(ends))
            wanted = None if known == len(ends) else ends[known - 1] + 64
            whole = known == len(ends)
            self.tell(on.Described(frame, ends[:known], len(ends), whole, wanted, representation))
        more = self.scheduler.ledgers.get(frame, representation).held_stop
        if more > held and known < len(ends):
            self._later(self.examine_ms, lambda: self._describe(frame, more, representation))
            return
        self._examined.remove((frame, representation))
        self.tell(on.Examined(frame, representation))

    def _decode(self, job: int, frame: int, level: int) -> None:
        if frame in self.undecodable:
            self.tell(on.DecodeFailed(job, self.undecodable[frame]))
            return
        if level in self.unsupported.get(frame, ()):
            self.tell(on.DecodeFailed(job, DecodeError(f"level {level} is not supported")))
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
            if abs(exchange.at - round(exchange.at)) < 0.01:
                exchange.at = round(exchange.at)
            self.wire_bytes += amount

    def _wire_events(self) -> None:
        for exchange in self._flowing():
            if exchange.error is not None and exchange.at >= exchange.fail_at and not exchange.over:
                self._fail(exchange, exchange.error)
            while (
                not exchange.over and exchange.milestones and exchange.milestones[0] <= exchange.at
            ):
                point = exchange.milestones.pop(0)
                self._note_pieces(exchange)
                if point > exchange.start:
                    self.tell(on.Reached(exchange.request, point))
            if not exchange.over and exchange.at >= exchange.stop:
                self._end(exchange)
                self.tell(on.Closed(exchange.request, exchange.stop))

    def _fail(self, exchange: Exchange, error: FirstlightError | None) -> None:
        self._end(exchange)
        if exchange.key is not None:
            self.faults.pop(exchange.key[0], None)
        self.tell(on.FetchFailed(exchange.request, exchange.held, error))

    def _end(self, exchange: Exchange) -> None:
        exchange.over = True
        del self._exchanges[exchange.request]
        if exchange.key is None:
            self._note_pieces(exchange)
        elif exchange.key[1] == 0:
            self.fetched[exchange.key[0]].append((exchange.start, exchange.held))

    def _note_pieces(self, exchange: Exchange) -> None:
        """What has come of the heads file, told before anybody may drop it again."""
        pieces = () if exchange.key else self._pieces[exchange.request]
        for piece in pieces[exchange.pieces_noted :]:
            if piece.stop > exchange.at:
                return
            exchange.pieces_noted += 1
            self.fetched[piece.frame_index].append((piece.frame_start, piece.frame_stop))

    # -- what a test asks -----------------------------------------------------------------------

    def commands(self, kind: type) -> list[tuple[float, object]]:
        return [(time, command) for time, command in self.log if isinstance(command, kind)]

    def fetches(self, frame: int) -> list[do.Fetch]:
        return [c for _, c in self.commands(do.Fetch) if c.frame_index == frame]

    def running(self) -> int:
        return len(self._exchanges)

    def quality(self, frame: int) -> object:
        return self.scheduler.ledgers.pictures[frame].quality

    def assert_no_byte_twice(self) -> None:
        """What is held of each frame came without overlap and without a hole."""
        for frame, spans in self.fetched.items():
            at = 0
            for start, stop in sorted(span for span in spans if span[0] != span[1]):
                assert start == at, f"frame {frame}: {spans}"
                at = stop


def short_body() -> ShortBody:
    return ShortBody("the body ended early", resource="sim")
