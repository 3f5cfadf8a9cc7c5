"""The table of transitions, and the orders that are pure functions."""

from __future__ import annotations

import itertools

import pytest

from firstlight.schedule.events import Demand
from firstlight.schedule.order import Goal, Tier, outward, rank, steps
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


@pytest.mark.parametrize("direction", [-1, 0, 1])
@pytest.mark.parametrize(("center", "count"), [(0, 1), (0, 7), (6, 7), (3, 8)])
def test_outward_names_every_other_frame_once(center, count, direction):
    order = list(outward(center, direction, count))
    assert sorted(order) == [index for index in range(count) if index != center]


def test_outward_alternates_when_standing_and_leans_forward_when_moving():
    assert list(outward(5, 0, 11))[:4] == [6, 4, 7, 3]
    assert list(outward(5, 1, 11))[:6] == [6, 7, 4, 8, 9, 3]
    assert list(outward(5, -1, 11))[:6] == [4, 3, 6, 2, 1, 7]


def test_steps_go_tier_by_tier_and_glance_before_full():
    order = list(steps(Demand(visible=(10,)), 40))
    assert order[0] == (Tier.VISIBLE, 10, Goal.FULL)
    assert [step.tier for step in order] == sorted(step.tier for step in order)
    next_goals = [step.goal for step in order if step.tier is Tier.NEXT]
    assert next_goals == [Goal.GLANCE] * 8 + [Goal.FULL] * 8
    assert {step.frame_index for step in order} == set(range(40))


def test_rank_grows_with_distance_and_against_the_direction():
    demand = Demand(visible=(10,), direction=1)
    assert rank(demand, 10) == 0
    assert rank(demand, 11) < rank(demand, 12) < rank(demand, 20)
    assert rank(demand, 11) < rank(demand, 9)
