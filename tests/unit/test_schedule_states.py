"""The table of transitions, the orders, and the other parts that are pure functions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import HttpStatus, Unreachable
from firstlight.ranges import ByteRange
from firstlight.schedule import Capacity
from firstlight.schedule.concurrency import Concurrency
from firstlight.schedule.events import Demand
from firstlight.schedule.frame_set import FrameSet, at_or_after, at_or_before, bits_of, span
from firstlight.schedule.order import Tier, View
from firstlight.schedule.retries import Retries
from firstlight.schedule.states import TRANSITIONS, FrameLedger, IllegalTransition, LevelState

ARROWS = list(itertools.product(LevelState, LevelState))


@pytest.mark.parametrize(("now", "to"), ARROWS, ids=[f"{a.value}-{b.value}" for a, b in ARROWS])
def test_only_the_arrows_of_the_table_are_taken(now, to):
    frame = FrameLedger(0, levels=[now])
    if to in TRANSITIONS[now]:
        frame.move(0, to)
        assert frame.levels == [to]
    else:
        with pytest.raises(IllegalTransition, match=f"{now.value} to {to.value}"):
            frame.move(0, to)
        assert frame.levels == [now]


def test_every_state_can_be_left_and_reached():
    assert set(TRANSITIONS) == set(LevelState)
    assert all(TRANSITIONS.values())
    reachable = {LevelState.WANTED}
    for _ in LevelState:
        reachable |= {to for state in reachable for to in TRANSITIONS[state]}
    assert reachable == set(LevelState)


def order(demand: Demand, count: int) -> list[int]:
    """All frames as a view ranks them, found one after the other."""
    view, bits, found = View(demand, count), span(0, count), []
    while (index := view.nearest(bits)) is not None:
        found.append(index)
        bits &= ~(1 << index)
    return found


@pytest.mark.parametrize("direction", [-1, 0, 1])
@pytest.mark.parametrize(("eye", "count"), [(0, 1), (0, 7), (6, 7), (3, 8)])
def test_every_frame_is_found_once_and_in_the_order_of_rank(eye, count, direction):
    demand = Demand(visible=(eye,), direction=direction)
    found = order(demand, count)
    assert sorted(found) == list(range(count))
    view = View(demand, count)
    assert [view.rank(index) for index in found] == sorted(map(view.rank, range(count)))
    assert found[0] == eye


def test_what_is_on_screen_comes_first_in_the_order_given():
    assert order(Demand(visible=(5, 1, 9)), 12)[:5] == [5, 1, 9, 6, 4]
    assert order(Demand(visible=(5,), direction=1), 11)[:6] == [5, 6, 7, 4, 8, 9]
    assert order(Demand(visible=(5,), direction=-1), 11)[:6] == [5, 4, 3, 6, 2, 1]
    assert order(Demand(visible=(5,), volume=True), 11)[:4] == [5, 6, 4, 7]


def test_tiers_lean_to_where_it_moves_and_a_volume_is_all_on_screen():
    def members(demand: Demand, tier: Tier) -> list[int]:
        view = View(demand, 40)
        return [index for index in range(40) if view.tier(index) is tier]

    assert members(Demand(visible=(10,)), Tier.VISIBLE) == [10]
    assert members(Demand(visible=(10,)), Tier.NEXT) == [6, 7, 8, 9, 11, 12, 13, 14]
    assert members(Demand(visible=(10,), direction=1), Tier.NEXT) == [8, 9, *range(11, 17)]
    assert members(Demand(visible=(10,), direction=-1), Tier.NEXT) == [*range(4, 10), 11, 12]
    assert members(Demand(visible=(10,), volume=True), Tier.VISIBLE) == list(range(40))
    assert members(Demand(visible=(10,), volume=True), Tier.REST) == []


def test_the_farthest_goes_first_and_never_a_near_one():
    view = View(Demand(visible=(10,)), 40)
    assert view.farthest(bits_of([0, 12, 30])) == 30
    assert view.farthest(bits_of([1, 12])) == 1
    assert view.farthest(bits_of([9, 10, 12])) is None
    assert view.farthest(0) is None


@given(st.sets(st.integers(0, 300)), st.integers(0, 300))
def test_frame_sets_are_sets(members, index):
    found = FrameSet(bits_of(members))
    assert list(found) == sorted(members)
    assert (index in found) == (index in members)
    assert at_or_after(found.bits, index) == min((m for m in members if m >= index), default=None)
    assert at_or_before(found.bits, index) == max((m for m in members if m <= index), default=None)
    found.put(index, member=True)
    assert index in found
    found.put(index, member=False)
    assert list(found) == sorted(members - {index})
    assert list(FrameSet(span(-3, index))) == list(range(index))


def test_bytes_behind_a_gap_count_once_the_gap_is_closed():
    frame = FrameLedger(0, level_ends=(100, 400, 1000), described=True)
    frame.promised_stop = 100
    assert frame.missing(None) == ByteRange(100, 1000)
    assert frame.hold(100, 700) == 0
    assert frame.held_stop == 0
    assert frame.missing(None) == ByteRange(700, 1000)
    frame.promised_stop = 0  # the heads do not come: the gap is asked for
    assert frame.missing(None) == ByteRange(0, 100)
    assert frame.hold(0, 100) == 700
    assert frame.fetched_level == 1
    assert frame.missing(400) is None
    assert frame.missing(None) == ByteRange(700, 1000)


def test_no_more_than_the_limit_is_missing():
    frame = FrameLedger(0, level_ends=(100, 400, 1000), described=True, limit_stop=500)
    frame.levels = [LevelState.WANTED] * 3
    assert frame.missing(None) == ByteRange(0, 500)
    frame.levels_below = 2
    assert frame.missing(None) == ByteRange(0, 100)
    frame.hold(0, 100)
    assert frame.missing(None) is None
    assert not frame.is_whole


def capacity_with(**numbers: float) -> Capacity:
    return replace(Capacity(), **numbers)


def test_concurrency_grows_while_answers_begin_as_quickly_as_ever():
    limit = Concurrency(capacity_with(requests=6, max_requests=12))
    for _ in range(200):
        assert not limit.has_room(limit.limit)
        limit.opened(10.0)
    assert limit.limit == 12
    for _ in range(200):
        limit.opened(60.0)  # they queue now
    assert limit.limit == 6


def test_concurrency_is_halved_by_what_more_requests_make_worse_and_recovers():
    limit = Concurrency(capacity_with(requests=6))
    limit.failed(HttpStatus("no", status=404))
    assert limit.limit == 6
    limit.failed(HttpStatus("slow down", status=429))
    assert limit.limit == 3
    for _ in range(5):
        limit.failed(Unreachable("gone"))
    assert limit.limit == 1
    for _ in range(40):
        limit.opened(10.0)
    assert limit.limit == 6


def test_waits_grow_are_bounded_and_follow_retry_after():
    retries = Retries(capacity_with(retry_ms=100, retry_max_ms=5000, attempts=4), lambda: 0.5)
    frame = FrameLedger(0)
    waits = []
    for _ in range(3):
        assert retries.failed(frame, Unreachable("gone"), 1000.0)
        waits.append(frame.retry_at_ms - 1000.0)
    assert waits == [100, 300, 900]
    assert not retries.failed(frame, Unreachable("gone"), 1000.0)
    busy = HttpStatus("busy", status=503, retry_after_ms=2000)
    assert retries.failed(other := FrameLedger(1), busy, 0.0)
    assert other.retry_at_ms == 2000
    endless = HttpStatus("busy", status=503, retry_after_ms=3_600_000)
    assert retries.failed(third := FrameLedger(2), endless, 0.0)
    assert third.retry_at_ms == 5000
    assert not retries.failed(FrameLedger(3), HttpStatus("gone", status=404), 0.0)
    assert retries.take_due(1100.0) == [(0, 0)]
