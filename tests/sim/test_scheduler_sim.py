"""The scheduler on a virtual clock: order, bytes, cancellation, faults, memory."""

from __future__ import annotations

from itertools import pairwise

import pytest

from firstlight.errors import DecodeError, HttpStatus, Unreachable
from firstlight.schedule import Capacity
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from firstlight.schedule.order import Tier
from firstlight.schedule.states import LevelState
from sim.world import CT_ENDS, RADIOGRAPH_ENDS, World, short_body


def test_one_image_is_one_request_and_sharpens_level_by_level():
    world = World([RADIOGRAPH_ENDS])
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert len(world.commands(do.Fetch)) == 1
    levels = [level for _, level in world.shown[0]]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[-1] == len(RADIOGRAPH_ENDS) - 1
    assert round(world.wire_bytes) == RADIOGRAPH_ENDS[-1]
    first_ms = world.shown[0][0][0]
    assert first_ms == pytest.approx(10 + RADIOGRAPH_ENDS[0] / 3750 + 2, abs=0.1)
    last_ms = world.shown[0][-1][0]
    assert last_ms == pytest.approx(10 + RADIOGRAPH_ENDS[-1] / 3750 + 2, abs=0.1)


def test_a_codestream_without_a_known_index_is_read_as_it_comes():
    world = World([CT_ENDS], described=False)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert world.scheduler.frames[0].complete
    assert len(world.commands(do.Fetch)) == 1
    assert world.shown[0][-1][1] == 5
    world.assert_no_byte_twice()


def test_a_series_loads_completely_and_no_byte_twice():
    world = World([CT_ENDS] * 40)
    world.tell(on.Demand(visible=(20,)))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert round(world.wire_bytes) == 40 * CT_ENDS[-1]
    world.assert_no_byte_twice()
    assert world.max_running <= Capacity().max_requests
    # The wire was never idle for long: within 15 % of its limit for 40 small files.
    assert world.busy_until <= 1.03 * 40 * CT_ENDS[-1] / 3750


def test_the_frame_on_screen_comes_first_then_its_neighbours():
    world = World([CT_ENDS] * 60)
    world.tell(on.Demand(visible=(30,)))
    world.run()
    finished = sorted(range(60), key=lambda i: world.shown[i][-1][0])
    assert finished[0] == 30
    assert set(finished[1:9]) == set(range(26, 35)) - {30}
    first_seen = sorted(range(60), key=lambda i: world.shown[i][0][0])
    assert set(first_seen[:9]) == set(range(26, 35))


def test_moving_forward_prefers_what_lies_ahead():
    world = World([CT_ENDS] * 60)
    world.tell(on.Demand(visible=(30,), direction=1))
    world.run()
    finished = sorted(range(60), key=lambda i: world.shown[i][-1][0])[1:9]
    assert sum(index > 30 for index in finished) > sum(index < 30 for index in finished)


def test_scrolling_away_cancels_and_coming_back_fetches_only_the_rest():
    world = World([RADIOGRAPH_ENDS] * 3)
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=400)
    assert world.commands(do.Cancel) == []
    world.tell(on.Demand(visible=(2,), direction=1))
    assert [c.request for _, c in world.commands(do.Cancel)] == [1000]
    world.run(until_ms=402)
    held = world.scheduler.frames[0].held_stop
    assert 1_000_000 < held < RADIOGRAPH_ENDS[-1]
    world.run(until_ms=500)
    assert world.scheduler.frames[2].held_stop > 0
    world.tell(on.Demand(visible=(0,), direction=-1))
    world.run(until_ms=10_000)
    assert world.scheduler.frames[0].complete
    assert (0, held) in world.fetched[0]
    world.assert_no_byte_twice()


def test_a_fast_scroll_ends_with_the_last_frame_first():
    world = World([RADIOGRAPH_ENDS] * 50)
    for step in range(50):
        world.at(step * 20.0, on.Demand(visible=(step,), direction=1))
    world.run(until_ms=49 * 20.0 + 2400)
    assert world.scheduler.frames[49].complete
    assert not world.scheduler.frames[10].complete
    world.assert_no_byte_twice()


def test_an_unneeded_decode_is_never_started():
    world = World([CT_ENDS], decode_ms=50.0)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    # The picture needs 61 ms of wire; while the first job runs the others are overtaken.
    assert len(world.shown[0]) < len(CT_ENDS)
    assert world.shown[0][-1][1] == 5


def test_decodes_follow_the_eye():
    world = World([CT_ENDS] * 30, decode_ms=20.0, capacity=Capacity(decode_jobs=1))
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=1500)
    world.tell(on.Demand(visible=(29,), direction=1))
    decided = len(world.log)
    world.run()
    first = next(
        c for _, c in world.log[decided:] if isinstance(c, do.Decode) and c.frame_index != 0
    )
    near = [c.frame_index for _, c in world.log[decided:] if isinstance(c, do.Decode)][:3]
    assert 29 in near, (first, near)


def test_a_broken_connection_is_tried_again_and_fetches_only_the_rest():
    world = World([CT_ENDS] * 5, faults={0: (20_000, short_body())})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert all(frame.error is None for frame in world.scheduler.frames)
    assert [c.extent.start for _, c in world.commands(do.Fetch) if c.frame_index == 0] == [
        0,
        20_000,
    ]
    world.assert_no_byte_twice()
    # The others did not wait for it.
    assert max(world.shown[index][-1][0] for index in range(1, 5)) < Capacity().retry_ms * 1.25


def test_a_frame_that_keeps_failing_is_given_up_alone_and_comes_when_asked_again():
    tries = Capacity().attempts
    world = World([CT_ENDS] * 5, refusals={(2, 0): [Unreachable("gone")] * tries})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    failed = world.scheduler.frames[2]
    assert isinstance(failed.error, Unreachable)
    assert failed.levels == [LevelState.FAILED] * 6
    assert len(world.fetches(2)) == tries
    assert all(f.complete for f in world.scheduler.frames if f is not failed)
    # Each wait is longer than the one before, so that a server can recover.
    times = [time for time, c in world.commands(do.Fetch) if c.frame_index == 2]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == sorted(waits)
    world.tell(on.Retry(2))
    world.run()
    assert failed.complete
    assert failed.error is None
    world.assert_no_byte_twice()


@pytest.mark.parametrize("status", [403, 404, 410, 416])
def test_what_will_not_pass_is_not_tried_again(status):
    error = HttpStatus("no", status=status)
    world = World([CT_ENDS] * 3, refusals={(1, 0): [error]})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert world.scheduler.frames[1].error is error
    assert len(world.fetches(1)) == 1


def test_a_server_that_says_when_is_asked_then():
    error = HttpStatus("slow down", status=429, retry_after_ms=5000)
    world = World([CT_ENDS], refusals={(0, 0): [error]})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    first, second = (time for time, _ in world.commands(do.Fetch))
    assert second - first == pytest.approx(5000 + world.latency_ms)
    assert world.scheduler.frames[0].complete


def test_a_request_of_which_nothing_is_heard_is_begun_anew():
    world = World([CT_ENDS] * 2, silent={0})
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=Capacity().silence_ms / 2)
    assert not world.scheduler.frames[0].held_stop
    assert world.scheduler.frames[1].complete  # it kept nobody else waiting
    world.silent.clear()
    world.run()
    assert world.scheduler.frames[0].complete
    assert world.commands(do.Cancel)


def test_a_server_in_trouble_gets_fewer_requests_and_then_more_again():
    count = 60
    world = World([CT_ENDS] * count, bytes_per_ms=100_000)
    world.refusals = {(i, 0): [HttpStatus("busy", status=503)] for i in range(5, 15)}
    world.tell(on.Demand(visible=(0,)))
    lowest = []
    for _ in range(400):
        world.run(until_ms=world.now + 5)
        lowest.append(world.scheduler.limits.of("").limit)
    assert min(lowest) < Capacity().requests
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)


def test_a_codestream_that_cannot_be_decoded_is_given_up_at_its_last_level():
    world = World([RADIOGRAPH_ENDS, CT_ENDS], undecodable={0: DecodeError("refused")})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert isinstance(world.scheduler.frames[0].error, DecodeError)
    assert world.scheduler.frames[0].held_stop == RADIOGRAPH_ENDS[-1], "a finer level may do"
    assert world.scheduler.frames[1].complete
    world.undecodable.clear()
    world.tell(on.Retry(0))
    assert [c.frame_index for _, c in world.commands(do.Release)] == [0]
    world.run()
    assert world.scheduler.frames[0].complete


def test_pixels_far_from_the_eye_are_evicted_and_come_back_without_the_wire():
    stored = 1000 * 4**5
    world = World([CT_ENDS] * 60, capacity=Capacity(pixel_bytes=30 * stored))
    world.tell(on.Demand(visible=(0,)))
    world.run()
    held = [f.index for f in world.scheduler.frames if f.ready_level >= 0]
    assert len(held) <= 30
    assert set(range(9)) <= set(held)
    before = world.wire_bytes
    world.tell(on.Demand(visible=(59,), direction=1))
    world.run()
    assert world.scheduler.frames[59].complete
    assert world.wire_bytes == before
    assert len([f for f in world.scheduler.frames if f.ready_level >= 0]) <= 30


def test_compressed_bytes_are_bounded():
    limit = 20 * CT_ENDS[-1]
    world = World([CT_ENDS] * 60, capacity=Capacity(compressed_bytes=limit))
    world.tell(on.Demand(visible=(0,)))
    world.run()
    held = sum(frame.held_stop for frame in world.scheduler.frames)
    assert held <= limit + Capacity().requests * CT_ENDS[-1]
    world.tell(on.Demand(visible=(59,), direction=1))
    world.run()
    assert world.scheduler.frames[59].complete
    assert sum(f.held_stop for f in world.scheduler.frames) <= limit + 6 * CT_ENDS[-1]


def test_an_adopted_request_keeps_its_number_for_itself():
    world = World([CT_ENDS] * 8)
    out = world.scheduler.handle_all(
        [on.Adopted(1003, 0, CT_ENDS[1]), on.Demand(visible=(5,))], world.now
    )
    started = [command.request for command in out if isinstance(command, do.Fetch)]
    world.scheduler.handle(on.Closed(1003, CT_ENDS[1]), world.now)
    assert 1003 not in started
    assert world.scheduler.frames[0].held_stop == CT_ENDS[1]
    assert world.scheduler.frames[0].fetched_level == 1


def test_a_server_without_ranges_gets_whole_requests_only():
    world = World([CT_ENDS] * 4)
    world.tell(on.Demand(visible=(0,)))
    world.tell(on.Opened(1000, CT_ENDS[-1], ranges=False))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert [c.extent.stop for _, c in world.commands(do.Fetch)] == [CT_ENDS[-1]] * 4


def test_a_visible_frame_overtakes_a_running_prefetch_at_once():
    world = World([CT_ENDS, *[RADIOGRAPH_ENDS] * 3])
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=400)
    running = [c for _, c in world.commands(do.Fetch) if c.tier is not Tier.VISIBLE]
    assert running
    world.tell(on.Demand(visible=(3,), direction=1))
    last = world.commands(do.Fetch)[-1]
    assert last[1].frame_index == 3
    assert last[0] == world.now
    assert last[1].tier is Tier.VISIBLE


@pytest.mark.parametrize("count", [100, 400])
def test_work_for_each_event_does_not_grow_with_the_series(count):
    world = World([CT_ENDS] * count)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    commands = len(world.log)
    assert commands <= 12 * count


def test_a_level_that_is_refused_does_not_fail_a_frame_whose_full_image_decodes():
    world = World([CT_ENDS] * 6, unsupported={2: {0, 1, 2, 3, 4}})
    world.tell(on.Demand(visible=(2,)))
    world.run()
    frame = world.scheduler.frames[2]
    assert frame.complete
    assert frame.error is frame.refused is None
    assert [level for _, level in world.shown[2]] == [5]
    assert all(other.complete for other in world.scheduler.frames)
    world.assert_no_byte_twice()


def test_a_refused_level_waits_for_what_the_codestream_will_tell():
    """All bytes are here, and the levels that they bring are not known yet."""
    world = World([CT_ENDS], described=False, examine_ms=300.0, unsupported={0: {0, 1, 2, 3, 4}})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    frame = world.scheduler.frames[0]
    assert frame.complete
    assert frame.error is frame.refused is None


def test_a_frame_fails_when_its_last_level_is_refused_and_keeps_what_it_shows():
    world = World([CT_ENDS] * 6, unsupported={2: {4, 5}})
    world.tell(on.Demand(visible=(2,)))
    world.run()
    frame = world.scheduler.frames[2]
    assert isinstance(frame.error, DecodeError)
    assert frame.ready_level >= 0
    assert world.running() == 0
    world.unsupported.clear()
    world.tell(on.Retry(2))
    world.run()
    assert frame.complete


def test_where_only_a_refused_level_is_wanted_the_frame_fails():
    world = World([CT_ENDS] * 3, unsupported={0: {0, 1, 2, 3}})
    world.tell(on.Limited(None, 2))
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert isinstance(world.scheduler.order.error(0), DecodeError)
    assert world.scheduler.order.is_over(1)
    assert world.running() == 0
