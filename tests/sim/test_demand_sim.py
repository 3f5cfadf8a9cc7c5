"""What the page says it shows, and what the link turns out to be, on the virtual clock."""

from __future__ import annotations

import pytest

from firstlight.schedule import Capacity
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.capacity import MAX_LEAD_FRAMES, NEAR_FRAMES
from firstlight.schedule.order import View
from sim.world import CT_ENDS, RADIOGRAPH_ENDS, World


def order_of_levels(world: World, frames: tuple[int, ...], level: int) -> list[float]:
    return [min(t for t, shown in world.shown[i] if shown >= level) for i in frames]


def test_several_on_screen_come_coarse_first_then_as_large_as_they_are_shown():
    frames = (3, 9, 1, 6)
    world = World([RADIOGRAPH_ENDS] * 12)
    # Levels halve 512 px seven times down to 8; the screen shows 100 of them.
    world.tell(on.Demand(visible=frames, side_px=100))
    world.run()
    coarse = order_of_levels(world, frames, 0)
    enough = order_of_levels(world, frames, 4)
    full = order_of_levels(world, frames, 6)
    assert max(coarse) < min(enough)
    assert max(enough) < min(full)
    assert full == sorted(full)
    world.assert_no_byte_twice()
    rest = [shown[-1][0] for index, shown in world.shown.items() if index not in frames]
    assert max(full) < min(rest)


def test_a_volume_is_seen_whole_before_any_frame_is_refined():
    count = 60
    world = World([CT_ENDS] * count, connections=6)
    world.tell(on.Demand(visible=(30,), volume=True, side_px=64))
    world.run()
    everybody = tuple(range(count))
    assert max(order_of_levels(world, everybody, 0)) < min(order_of_levels(world, everybody, 5))
    assert max(order_of_levels(world, everybody, 2)) < max(order_of_levels(world, everybody, 5))
    finished = sorted(everybody, key=lambda i: world.shown[i][-1][0])
    assert all(abs(index - 30) <= 8 for index in finished[:9])
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()


def test_zooming_in_asks_for_more_at_once():
    world = World([RADIOGRAPH_ENDS] * 4)
    world.tell(on.Demand(visible=(0, 1), side_px=32))
    world.run(until_ms=200)
    world.tell(on.Demand(visible=(1, 0), side_px=512))
    world.run(until_ms=200 + 1.3 * RADIOGRAPH_ENDS[-1] / 3750)
    assert world.scheduler.frames[1].complete
    assert not world.scheduler.frames[0].complete


def test_nobody_starves_while_somebody_scrolls_back_and_forth():
    count = 30
    world = World([CT_ENDS] * count)
    for step in range(200):
        world.at(step * 40.0, on.Demand(visible=(10 + step % 2,), direction=1 - 2 * (step % 2)))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()
    assert max(shown[-1][0] for shown in world.shown.values()) < 1.3 * count * CT_ENDS[-1] / 3750


@pytest.mark.parametrize(("before", "after"), [(3750.0, 200.0), (200.0, 12_500.0)])
def test_a_change_of_bandwidth_is_noticed_and_the_wire_stays_full(before, after):
    count = 40
    world = World([CT_ENDS] * count, bytes_per_ms=before, latency_ms=20)
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=1500)
    sent = world.wire_bytes
    world.bytes_per_ms = after
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    rest_ms = (count * CT_ENDS[-1] - sent) / after
    assert world.busy_until - 1500 < 1.1 * rest_ms + 100
    assert world.scheduler.link.bytes_per_ms == pytest.approx(after, rel=0.35)


@pytest.mark.parametrize("latency_ms", [2.0, 150.0])
def test_a_fat_or_a_long_pipe_is_filled(latency_ms):
    count = 60
    world = World([CT_ENDS] * count, bytes_per_ms=20_000, latency_ms=latency_ms)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    floor_ms = count * CT_ENDS[-1] / 20_000
    # Twelve round trips at most are spent on finding out how much the origin takes.
    assert world.busy_until < 1.1 * floor_ms + 12 * latency_ms


def test_a_series_larger_than_memory_follows_the_eye_and_settles():
    count = 200
    limit = 30 * CT_ENDS[-1]
    capacity = Capacity(compressed_bytes=limit, pixel_bytes=40 * 1000 * 4**5)
    world = World([CT_ENDS] * count, capacity=capacity)
    for eye in (0, 100, 199, 50):
        world.tell(on.Demand(visible=(eye,), direction=1))
        world.run()
        assert world.running() == 0
        frames = world.scheduler.frames
        near = [index for index in range(eye - 8, eye + 9) if 0 <= index < count]
        assert all(frames[index].complete for index in near)
        assert sum(frame.held_stop for frame in frames) <= limit + 6 * CT_ENDS[-1]
        held = [frame.index for frame in frames if frame.held_stop == CT_ENDS[-1]]
        assert len(held) >= 20, "memory is there to be used"
        assert max(abs(index - eye) for index in held) <= 60
    world.assert_no_byte_twice()


def test_what_is_dropped_comes_back_when_the_eye_does():
    world = World([CT_ENDS] * 80, capacity=Capacity(pixel_bytes=30 * 1000 * 4**5))
    world.tell(on.Demand(visible=(0,)))
    world.run()
    world.tell(on.Demand(visible=(79,), direction=1))
    world.run()
    before = world.wire_bytes
    world.tell(on.Demand(visible=(0,), direction=-1))
    world.run()
    ready = [frame.index for frame in world.scheduler.frames if frame.ready_level >= 0]
    assert set(range(9)) <= set(ready)
    assert len(ready) <= 30
    assert world.wire_bytes == before


def test_another_series_stops_everything_and_coming_back_fetches_only_the_rest():
    world = World([CT_ENDS] * 30)
    world.tell(on.Demand(visible=(10,)))
    world.run(until_ms=500)
    for command in world.scheduler.suspend(world.now):
        world.obey(command)
    world.run(until_ms=2000)
    assert world.running() == 0
    sent = world.wire_bytes
    world.run(until_ms=3000)
    assert world.wire_bytes == sent
    assert all(frame.ready_level < 0 for frame in world.scheduler.frames)
    world.tell(on.Demand(visible=(10,)))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()
    assert round(world.wire_bytes) <= 30 * CT_ENDS[-1] + 1


def test_a_limit_is_all_that_is_fetched():
    world = World([CT_ENDS] * 10)
    world.tell(on.Limited(None, 2))
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert {frame.held_stop for frame in world.scheduler.frames} == {CT_ENDS[3]}
    assert all(world.scheduler.order.is_over(index) for index in range(10))
    world.tell(on.Limited(None, 0))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()
    assert len(world.commands(do.Fetch)) <= 30


@pytest.mark.parametrize("direction", [1, -1])
def test_the_faster_somebody_scrolls_the_further_ahead_is_fetched_before_the_rest(direction):
    """Ahead of the eye comes before what lies nearer behind it."""
    count, eye = 200, 100

    def ahead_first(speed: float) -> int:
        world = World([CT_ENDS] * count)
        world.tell(on.Demand(visible=(eye,), direction=direction, speed=speed))
        world.run()
        done = {index: shown[-1][0] for index, shown in world.shown.items()}
        behind = done[eye - direction * 20]
        return sum(done[eye + direction * k] < behind for k in range(1, count // 2))

    assert ahead_first(0) == pytest.approx(40, abs=6)  # behind counts twice as far
    assert ahead_first(64) >= 64
    view = View(on.Demand(visible=(eye,), direction=direction, speed=1e9), count)
    assert view.near.bit_count() <= MAX_LEAD_FRAMES + NEAR_FRAMES


def test_frames_that_will_be_scrolled_to_are_not_dropped_from_memory():
    demand = on.Demand(visible=(100,), direction=1, speed=32)
    view = View(demand, 200)
    assert view.is_near(130)
    assert not view.is_near(70)
    assert view.farthest(1 << 130) is None
    assert view.farthest(1 << 70) == 70
