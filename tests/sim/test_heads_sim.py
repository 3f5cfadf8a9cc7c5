"""The heads file on the virtual clock: every frame at once, nothing twice; and without it."""

from __future__ import annotations

import pytest

from firstlight.errors import DecodeError, HttpStatus
from firstlight.schedule import Capacity
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.order import Tier
from sim.world import CT_ENDS, World, heads_of


def world_with_heads(count: int, **facts: object) -> World:
    frames = [CT_ENDS] * count
    return World(frames, heads=heads_of(frames), **facts)


def seen_ms(world: World) -> float:
    """When the last frame showed something."""
    return max(shown[0][0] for shown in world.shown.values())


@pytest.mark.parametrize("volume", [False, True])
def test_every_frame_is_seen_after_the_first_pass_and_no_byte_comes_twice(volume):
    count = 100
    world = world_with_heads(count, connections=6)
    world.tell(on.Demand(visible=(40,), volume=volume))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()
    assert round(world.wire_bytes) == count * CT_ENDS[-1]
    # The first pass has 57,500 bytes, 15 ms of the wire; with what shares it, less than 100.
    assert seen_ms(world) < 100
    assert world.busy_until < 1.01 * count * CT_ENDS[-1] / world.bytes_per_ms + 20
    # Each frame goes on where its head ends: one request a frame.
    assert {len(world.fetches(index)) for index in range(count)} == {1}


def test_first_the_first_pass_of_all_then_the_second():
    world = world_with_heads(100)
    world.tell(on.Demand(visible=(0,), volume=True))
    world.run()
    chunks = [c.pieces for _, c in world.commands(do.FetchHeads)]
    passes = [{int(piece.frame_start > 0) for piece in pieces} for pieces in chunks]
    assert passes == sorted(passes, key=max)
    assert all(len(one) == 1 for one in passes)
    assert sum(len(pieces) for pieces in chunks) == 200


def test_a_huge_series_begins_at_the_eye_in_requests_of_bounded_size():
    count, size = 3000, 20_000
    world = world_with_heads(count, capacity=Capacity(heads_bytes=size))
    world.tell(on.Demand(visible=(1500,), volume=True))
    world.run(until_ms=400)
    chunks = [c for _, c in world.commands(do.FetchHeads)]
    assert max(c.extent.length for c in chunks) <= size + CT_ENDS[1]
    middles = [abs(c.pieces[0].frame_index - 1500) for c in chunks[:10]]
    assert middles[0] == 0
    assert middles == sorted(middles) or max(middles) < 400
    world.tell(on.Demand(visible=(100,), volume=True))
    after = len(world.commands(do.FetchHeads))
    world.run(until_ms=800)
    moved = [c for _, c in world.commands(do.FetchHeads)][after:]
    assert abs(moved[0].pieces[0].frame_index - 100) < 50


def test_the_eye_does_not_wait_for_the_heads():
    world = world_with_heads(50)
    world.tell(on.Demand(visible=(20,)))
    first = world.commands(do.Fetch)[0][1]
    assert (first.frame_index, first.extent.start, first.tier) == (20, 0, Tier.VISIBLE)
    assert all(
        20 not in [p.frame_index for p in c.pieces] for _, c in world.commands(do.FetchHeads)
    )
    world.run(until_ms=20)
    assert world.shown[20]


@pytest.mark.parametrize("ahead", [False, True])
def test_a_missing_heads_file_is_a_notice_and_nothing_more(ahead):
    missing = HttpStatus("not there", status=404)
    world = world_with_heads(30, heads_error=missing)
    world.tell(on.Demand(visible=(5,), volume=ahead))
    world.run()
    assert [c.error for _, c in world.commands(do.Notice)] == [missing]
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()


def test_a_frame_that_does_not_fit_its_head_is_fetched_from_its_own_bytes_alone():
    world = world_with_heads(10, undecodable={3: DecodeError("refused")})
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=40)
    world.undecodable.clear()
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert 0 in [c.extent.start for c in world.fetches(3)]
    assert all(c.keep_heads is False for _, c in world.commands(do.Release))


def test_an_adopted_heads_request_is_not_asked_for_again():
    world = world_with_heads(20)
    stop = world.heads[19].stop  # the first pass
    shown = ((0, 0, 1000), (7, 0, 1000))
    world.exchange_of_somebody_else(7, stop)
    world.tell_all(on.AdoptedHeads(7, stop, shown), on.Demand(visible=(0,)))
    assert world.scheduler.frames[7].ready_level == 0
    assert not [c for _, c in world.commands(do.FetchHeads) if c.extent.start < stop]
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert {c.extent.start for c in world.fetches(7)} <= {CT_ENDS[0], CT_ENDS[1]}


def test_memory_drops_bytes_and_keeps_the_heads():
    count, limit = 60, 20 * CT_ENDS[-1]
    world = world_with_heads(count, capacity=Capacity(compressed_bytes=limit))
    world.tell(on.Demand(visible=(0,)))
    world.run()
    far = world.scheduler.frames[59]
    assert far.ready_level >= 0, "its head is shown all the same"
    world.tell(on.Demand(visible=(59,), direction=1))
    world.run()
    assert far.complete
    assert sum(frame.held_stop for frame in world.scheduler.frames) <= limit + 6 * CT_ENDS[-1]
    assert any(c.keep_heads for _, c in world.commands(do.Release))
    world.assert_no_byte_twice()


@pytest.mark.parametrize("count", [500, 2000])
def test_where_decoders_are_the_narrow_part_every_frame_is_still_seen_early(count):
    """Finer levels near the eye keep coming; they must not hold up who shows nothing at all."""
    frames = [(510, 1700, 6500)] * count
    world = World(frames, heads=heads_of(frames, (0,)), connections=6, decode_ms=20)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert seen_ms(world) < 0.4 * world.busy_until
    # Who is near is refined all the same: it does not wait for thousands that are far away.
    assert max(shown[-1][0] for index, shown in world.shown.items() if index < 4) < seen_ms(world)
    world.assert_no_byte_twice()


def test_the_rest_of_a_pass_that_somebody_else_began_comes_before_all_but_what_is_on_screen():
    count, begun = 3000, 2400
    frames = [(510, 1700, 6500)] * count
    world = World(frames, heads=heads_of(frames, (0,)), connections=6)
    stop = world.heads[begun - 1].stop
    world.exchange_of_somebody_else(7, stop)
    world.tell_all(on.AdoptedHeads(7, stop, ()), on.Demand(visible=(0,)))
    world.run()
    last = max(time for time, _ in world.commands(do.FetchHeads))
    others = [time for time, c in world.commands(do.Fetch) if c.frame_index != 0]
    assert last <= min(others)
    assert seen_ms(world) < 0.2 * world.busy_until
