"""The shaped link: its arithmetic and turns on a virtual clock, its bytes on real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.serve.app import create_app
from firstlight.serve.run import Server
from firstlight.serve.shaper import PROFILES, Profile, Shaper, TokenBucket, probe
from firstlight.serve.wire import Flow, Wire
from support.virtual_time import run_in_virtual_time

BITS_PER_S = 8 * 2**20
BYTES_PER_S = BITS_PER_S // 8
QUICK = Profile(down_bits_per_s=400e6, up_bits_per_s=400e6, rtt_ms=2)
SLOW = Profile(down_bits_per_s=200e3, up_bits_per_s=1e6, rtt_ms=2)


def test_profiles():
    assert PROFILES["4g"] == Profile(30e6, 5e6, 10)
    assert PROFILES["slow4g"] == Profile(1.6e6, 0.75e6, 150)
    assert PROFILES["fat"] == Profile(1e9, 1e9, 30)
    with pytest.raises(ValueError, match="not a link"):
        Profile(0, 1, 1)


def test_bytes_leave_one_after_another():
    bucket = TokenBucket(BITS_PER_S)
    assert bucket.send(BYTES_PER_S, ready_s=10, now_s=10) == 11
    assert bucket.send(BYTES_PER_S // 2, ready_s=10, now_s=10) == 11.5
    assert bucket.free_at_s == 11.5


def test_an_idle_link_saves_nothing_up():
    bucket = TokenBucket(BITS_PER_S, credit_ms=1000)
    bucket.send(BYTES_PER_S, ready_s=0, now_s=0)
    assert bucket.send(BYTES_PER_S, ready_s=50, now_s=50) == 51


def test_lateness_is_made_up_for_within_the_credit():
    bucket = TokenBucket(BITS_PER_S, credit_ms=250)
    bucket.send(BYTES_PER_S, ready_s=0, now_s=0)
    assert bucket.send(BYTES_PER_S, ready_s=0, now_s=1.25) == 2


def test_lateness_beyond_the_credit_is_lost():
    bucket = TokenBucket(BITS_PER_S, credit_ms=250)
    bucket.send(BYTES_PER_S, ready_s=0, now_s=0)
    assert bucket.send(BYTES_PER_S, ready_s=0, now_s=3) == 3.75


@given(st.lists(st.tuples(st.integers(0, 100_000), st.floats(0, 1), st.floats(0, 1)), min_size=1))
def test_never_faster_than_the_link_and_never_before_ready(sends):
    bucket = TokenBucket(BITS_PER_S)
    now_s, left_s = 0.0, float("-inf")
    for length_bytes, pause_s, waited_s in sends:
        now_s += pause_s
        ready_s = max(0.0, now_s - waited_s)
        start_s = max(left_s, ready_s)
        left_s = bucket.send(length_bytes, ready_s=ready_s, now_s=now_s)
        assert left_s >= start_s + length_bytes / BYTES_PER_S - 1e-9


class Receiver:
    """The far end of a flow: what arrived and when, and what the sender was told."""

    def __init__(self, wire: Wire, name: str = "", arrivals: list | None = None) -> None:
        self.arrivals = [] if arrivals is None else arrivals
        self.held: list[bool] = []
        self.name = name
        self.flow = Flow(wire, deliver=self.deliver, hold_sender=self.held.append)

    def deliver(self, piece: memoryview) -> None:
        now_s = asyncio.get_running_loop().time()
        self.arrivals.append((self.name, bytes(piece), now_s))

    @property
    def content(self) -> bytes:
        return b"".join(piece for _, piece, _ in self.arrivals)


def test_rate_and_delay_on_a_virtual_clock():
    async def main():
        wire = Wire(BITS_PER_S, delay_ms=250)
        receiver = Receiver(wire)
        content = random.Random(1).randbytes(60_000)
        receiver.flow.push(content)
        await asyncio.sleep(5)
        receiver.flow.push(b"later")
        await asyncio.sleep(5)
        assert receiver.content == content + b"later"
        times = [at_s for _, _, at_s in receiver.arrivals]
        assert times[-2] == pytest.approx(0.25 + len(content) / BYTES_PER_S)
        assert times[-1] == pytest.approx(5.25 + 5 / BYTES_PER_S)
        assert wire.carried_bytes == len(content) + 5

    run_in_virtual_time(main())


def test_connections_take_turns():
    async def main():
        wire, arrivals = Wire(BITS_PER_S, delay_ms=5), []
        first, second = Receiver(wire, "a", arrivals), Receiver(wire, "b", arrivals)
        first.flow.push(bytes(60_000))
        second.flow.push(bytes(60_000))
        await asyncio.sleep(1)
        names = "".join(name for name, _, _ in arrivals)
        assert len(names) > 50
        assert names == "ab" * (len(names) // 2)

    run_in_virtual_time(main())


def test_a_late_comer_does_not_wait_for_the_queue_of_another():
    async def main():
        wire, arrivals = Wire(BITS_PER_S, delay_ms=5), []
        bulk, late = Receiver(wire, "bulk", arrivals), Receiver(wire, "late", arrivals)
        bulk.flow.push(bytes(60_000))
        await asyncio.sleep(0.02)
        late.flow.push(b"small")
        await asyncio.sleep(1)
        (at_s,) = [at_s for name, _, at_s in arrivals if name == "late"]
        assert at_s <= 0.02 + 0.005 + 3 * 1460 / BYTES_PER_S

    run_in_virtual_time(main())


def test_a_full_queue_holds_the_sender_back():
    async def main():
        wire = Wire(BITS_PER_S, delay_ms=5)
        receiver = Receiver(wire)
        receiver.flow.push(bytes(wire.queue_bytes))
        assert receiver.held == []
        receiver.flow.push(b"more")
        assert receiver.held == [True]
        await asyncio.sleep(1)
        assert receiver.held == [True, False]

    run_in_virtual_time(main())


def test_a_receiver_that_does_not_read_leaves_the_link_to_others():
    async def main():
        wire = Wire(BITS_PER_S, delay_ms=5)
        busy, other = Receiver(wire), Receiver(wire)
        busy.flow.receiver_busy(True)
        busy.flow.push(bytes(10_000))
        other.flow.push(bytes(10_000))
        await asyncio.sleep(1)
        assert (len(busy.content), len(other.content)) == (0, 10_000)
        assert wire.carried_bytes == 10_000
        busy.flow.receiver_busy(False)
        await asyncio.sleep(1)
        assert len(busy.content) == 10_000

    run_in_virtual_time(main())


def test_dropped_bytes_are_neither_charged_nor_delivered():
    async def main():
        wire = Wire(BITS_PER_S, delay_ms=5)
        gone, other = Receiver(wire), Receiver(wire)
        gone.flow.push(bytes(60_000))
        await asyncio.sleep(0.01)
        charged_bytes = wire.carried_bytes
        arrived_bytes = len(gone.content)
        gone.flow.drop()
        gone.flow.push(bytes(1000))
        other.flow.push(b"small")
        await asyncio.sleep(1)
        assert 0 < charged_bytes < 60_000
        assert wire.carried_bytes == charged_bytes + 5
        assert len(gone.content) == arrived_bytes
        assert other.content == b"small"

    run_in_virtual_time(main())


class Upstream:
    """A real TCP server; ``gone`` is set when a connection is lost."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.gone = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await self.answer(reader, writer)
        self.gone.set()
        writer.close()


@asynccontextmanager
async def shaped(profile: Profile, answer):
    upstream = Upstream(answer)
    server = await asyncio.start_server(upstream.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, Shaper(profile, host, port) as shaper:
        yield shaper, upstream


async def connect(shaper: Shaper) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(shaper.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def finish(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(bytes(65536))
        await writer.drain()


def test_bytes_arrive_intact_and_in_order_over_four_connections():
    async def one(shaper: Shaper, seed: int) -> bool:
        content = random.Random(seed).randbytes(1_500_000 + seed)
        reader, writer = await connect(shaper)
        writer.write(content)
        received = await reader.readexactly(len(content))
        await finish(writer)
        return hashlib.sha256(received).digest() == hashlib.sha256(content).digest()

    async def main():
        async with shaped(QUICK, echo) as (shaper, _):
            assert await asyncio.gather(*(one(shaper, seed) for seed in range(4))) == [True] * 4
            total_bytes = sum(1_500_000 + seed for seed in range(4))
            assert (shaper.bytes_down, shaper.bytes_up) == (total_bytes, total_bytes)

    asyncio.run(main())


def test_a_client_that_goes_away_frees_the_link_and_the_upstream_at_once():
    async def main():
        async with shaped(SLOW, pour) as (shaper, upstream):
            reader, writer = await connect(shaper)
            await reader.readexactly(2000)
            writer.transport.abort()
            await asyncio.wait_for(upstream.gone.wait(), 20)
            charged_bytes = shaper.bytes_down
            # What was queued (64 KB, three seconds of this link) must not delay the next client.
            upstream.answer = echo
            reader, writer = await connect(shaper)
            writer.write(b"x" * 1000)
            assert await reader.readexactly(1000) == b"x" * 1000
            assert shaper.bytes_down == charged_bytes + 1000
            await finish(writer)

    asyncio.run(main())


def test_what_the_upstream_sent_before_it_closed_still_arrives():
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"y" * 100_000)

    async def main():
        async with shaped(QUICK, answer) as (shaper, _):
            reader, writer = await connect(shaper)
            assert await reader.read() == b"y" * 100_000
            await finish(writer)

    asyncio.run(main())


def test_an_upstream_that_refuses_closes_the_client():
    async def main():
        async with shaped(QUICK, echo) as (shaper, _):
            nowhere = Shaper(QUICK, "127.0.0.1", urlsplit(shaper.url).port or 0)
        async with nowhere:
            reader, writer = await connect(nowhere)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            await finish(writer)

    asyncio.run(main())


def test_the_server_behind_a_link_serves_and_is_probed(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    with Server(create_app(tmp_path, None), network=PROFILES["fat"]) as server:
        assert httpx.get(f"{server.url}/data/a.bin").content == bytes(range(256))
        assert server.shaper is not None
        before_bytes = server.shaper.bytes_down
        assert probe(server.url) > 0
        assert server.shaper.bytes_down >= before_bytes + 3_000_000
