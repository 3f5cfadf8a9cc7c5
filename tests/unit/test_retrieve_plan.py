"""Which frames a stage selects, and in which order the requests of a series start."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.errors import ConfigurationError
from firstlight.retrieve import stock
from firstlight.retrieve.configuration import (
    RequestType,
    RetrieveConfiguration,
    RetrieveOptions,
    Stage,
)
from firstlight.retrieve.plan import compile_plan
from firstlight.retrieve.select import position_index, selected
from firstlight.retrieve.status import Quality, replaces

RPCL = "1.2.840.10008.1.2.4.202"
JPEG_LS = "1.2.840.10008.1.2.4.80"


@pytest.mark.parametrize(
    ("position", "count", "index"),
    [
        (0, 10, 0),
        (0.5, 10, 4),
        (0.5, 11, 5),
        (0.999, 10, 8),
        (1, 10, 1),
        (9, 10, 9),
        (10, 10, None),
        (-1, 10, 9),
        (-10, 10, 0),
        (-11, 10, None),
        (0.5, 1, 0),
        (1, 1, None),
    ],
)
def test_a_position_is_an_index_or_a_fraction(position, count, index):
    assert position_index(position, count) == index


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 50), st.integers(0, 60))
def test_decimated_stages_with_all_offsets_select_every_frame_once(count, decimate, skip):
    parts = [selected(Stage("a", decimate=decimate, offset=o), count) for o in range(decimate)]
    assert sorted(index for part in parts for index in part) == list(range(count))
    from_skip = selected(Stage("a", offset=skip), count)
    assert from_skip == tuple(range(skip, count))


@settings(deadline=None)
@given(
    st.integers(1, 300),
    st.lists(st.one_of(st.integers(-300, 300), st.floats(0, 1, exclude_max=True)), min_size=1),
)
def test_positions_give_frames_of_the_series_once_or_an_error(count, positions):
    stage = Stage("a", positions=tuple(positions), decimate=7, offset=3)
    outside = [p for p in positions if p >= count or p < -count]
    if outside:
        with pytest.raises(ConfigurationError, match=r"^stage\.positions\[\d+\]: there is no fra"):
            selected(stage, count)
        return
    found = selected(stage, count)
    assert len(set(found)) == len(found)
    assert set(found) <= set(range(count))
    assert {p for p in positions if isinstance(p, int) and p >= 1} <= set(found)


@settings(deadline=None)
@given(st.integers(1, 400))
def test_the_interleaved_plan_asks_for_every_frame_as_often_as_the_reference(count):
    plan = compile_plan(stock.configuration("interleaved"), count, [RPCL])
    stages = [stage.id for stage in plan.stages]
    for index in range(count):
        chain = [stages[t.stage] for t in plan.tasks if t.frame_index == index]
        initial = index in {int((count - 1) * 0.5), 0, count - 1}
        by_offset = {
            3: ["quarterThumb", "finalFull"],
            1: ["halfThumb", "threeQuarterFull"],
            2: ["quarterFull"],
            0: ["halfFull"],
        }
        expected = ["initialImages"] * initial + by_offset[index % 4] + ["errorRetrieve"]
        assert sorted(chain, key=stages.index) == expected


def _order(name: str, count: int, **options) -> list[tuple[str, list[int]]]:
    plan = compile_plan(stock.configuration(name), count, [RPCL], **options)
    found: list[tuple[str, list[int]]] = []
    for task in plan.tasks:
        stage = plan.stages[task.stage].id
        if not found or found[-1][0] != stage:
            found.append((stage, []))
        found[-1][1].append(task.frame_index)
    return found


def test_the_interleaved_order_of_a_hundred_frames():
    assert _order("interleaved", 100) == [
        # Of the first queue, but for frames that have failed in all others.
        ("errorRetrieve", list(range(100))),
        ("initialImages", [49, 0, 99]),
        ("quarterThumb", list(range(3, 100, 4))),
        ("halfThumb", list(range(1, 100, 4))),
        ("quarterFull", list(range(2, 100, 4))),
        ("halfFull", list(range(0, 100, 4))),
        ("threeQuarterFull", list(range(1, 100, 4))),
        ("finalFull", list(range(3, 100, 4))),
    ]


def test_the_interleaved_order_of_three_frames():
    assert _order("interleaved", 3) == [
        ("errorRetrieve", [0, 1, 2]),
        ("initialImages", [1, 0, 2]),
        ("halfThumb", [1]),
        ("quarterFull", [2]),
        ("halfFull", [0]),
        ("threeQuarterFull", [1]),
    ]


def test_the_sequential_order():
    assert _order("sequential", 3) == [
        ("lossySequential", [0, 1, 2]),
        ("finalSequential", [0, 1, 2]),
        ("errorRetrieve", [0, 1, 2]),
    ]
    assert _order("single", 2) == [("initialImages", [0, 1])]


@pytest.mark.parametrize("name", ["htj2k-range", "jls-thumbnail", "lossy"])
def test_a_volume_is_interleaved_and_a_stack_is_not(name):
    assert [stage for stage, _ in _order(name, 100)] == [s for s, _ in _order("sequential", 100)]
    assert _order(name, 100, volume=True) == _order("interleaved", 100)


def test_request_type_then_priority_then_stage_then_place():
    stages = (
        Stage("prefetch", request_type=RequestType.PREFETCH, priority=-9, positions=(0,)),
        Stage("later", priority=5, positions=(2, 0)),
        Stage("same", priority=5, positions=(1,)),
        Stage("sooner", priority=-1, positions=(1,)),
        Stage("thumb", request_type=RequestType.THUMBNAIL, positions=(0,)),
    )
    plan = compile_plan(RetrieveConfiguration("x", stages), 3, [""])
    order = [(plan.stages[task.stage].id, task.frame_index) for task in plan.tasks]
    assert order == [
        ("sooner", 1),
        ("later", 2),
        ("later", 0),
        ("same", 1),
        ("thumb", 0),
        ("prefetch", 0),
    ]


def test_frames_of_several_transfer_syntaxes_get_the_options_of_their_own():
    plan = compile_plan(stock.configuration("sequential"), 3, [RPCL, JPEG_LS, ""])
    first = {t.frame_index: t.options for t in plan.tasks if t.stage == 0}
    assert first[0].range_index == 0
    assert first[0].prefix_bytes == 65_536
    # No prefix of these is a picture.
    assert first[1] == first[2] == RetrieveOptions()


def test_a_position_that_the_series_does_not_have_is_named():
    configuration = RetrieveConfiguration("x", (Stage("a"), Stage("b", positions=(0, 7))))
    with pytest.raises(ConfigurationError, match=r"^stages\[1\]\.positions\[1\]: there is no fram"):
        compile_plan(configuration, 7, [""])


def test_what_decides_itself_has_no_tasks():
    assert compile_plan(stock.configuration("adaptive"), 9, [RPCL]).tasks == ()
    assert compile_plan(stock.configuration("adaptive"), 9, [RPCL]).adaptive
    own = RetrieveConfiguration("own", create=lambda configuration: None)
    plan = compile_plan(own, 9, [RPCL])
    assert (plan.tasks, plan.adaptive) == ((), False)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Quality)), st.integers(1, 100)), min_size=1, max_size=30
    )
)
def test_what_is_held_never_gets_worse(pictures):
    held, pixels = None, 0
    for quality, size in pictures:
        if replaces(quality, size, held, pixels):
            assert held is None or quality >= held
            if quality == held == Quality.SUBRESOLUTION:
                assert size >= pixels
            held, pixels = quality, size
    assert held == max(quality for quality, _ in pictures)
    if held == Quality.SUBRESOLUTION:
        assert pixels == max(size for quality, size in pictures if quality == held)
