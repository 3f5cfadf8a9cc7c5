"""Any sequence of scrolls, faults and retries keeps the scheduler's promises, in every order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.dicom import uids
from firstlight.errors import DecodeError, HttpStatus
from firstlight.retrieve import stock
from firstlight.retrieve.plan import compile_plan
from firstlight.schedule import Capacity
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from sim.world import CT_ENDS, RADIOGRAPH_ENDS, World, heads_of, short_body

COUNT = 12

frames = st.integers(0, COUNT - 1)
demands = st.builds(
    on.Demand,
    visible=st.lists(frames, min_size=1, max_size=3, unique=True).map(tuple),
    direction=st.sampled_from([-1, 0, 1]),
    volume=st.booleans(),
    side_px=st.sampled_from([None, 64, 512]),
)
moves = st.lists(st.tuples(st.floats(0, 3000, allow_nan=False), demands), min_size=1, max_size=12)
cuts = st.dictionaries(frames, st.integers(1, 20_000), max_size=3)
refused = st.dictionaries(frames, st.sampled_from([404, 429, 500, 503]), max_size=3)


@settings(max_examples=80, deadline=None)
@given(
    moves=moves,
    big=st.sets(frames, max_size=4),
    broken=cuts,
    refused=refused,
    bad=st.sets(frames, max_size=2),
    described=st.booleans(),
    heads=st.sampled_from(["none", "there", "missing"]),
    pixel_frames=st.sampled_from([3, 1000]),
)
def test_promises_hold(moves, big, broken, refused, bad, described, heads, pixel_frames):
    ends = [RADIOGRAPH_ENDS if index in big else CT_ENDS for index in range(COUNT)]
    world = World(
        ends,
        described=described,
        faults={index: (stop, short_body()) for index, stop in broken.items()},
        refusals={(i, 0): [HttpStatus("no", status=status)] for i, status in refused.items()},
        undecodable={index: DecodeError("refused") for index in bad},
        heads=[] if heads == "none" else heads_of(ends),
        heads_error=HttpStatus("not there", status=404) if heads == "missing" else None,
        capacity=Capacity(pixel_bytes=pixel_frames * 1000 * 4**6),
    )
    for time_ms, demand in sorted(moves, key=lambda move: move[0]):
        world.at(time_ms, demand)
    world.run()
    # Nothing is left hanging: every frame is final, failed, or was dropped from memory.
    assert world.running() == 0
    gone = {index for index, status in refused.items() if status == 404}
    for frame in world.scheduler.frames:
        failed = frame.error is not None
        # What may pass is tried again. With memory for three frames a bad one far away is not
        # even tried.
        must = frame.index in bad | gone
        assert failed == must or (pixel_frames == 3 and frame.index in bad)
        if not failed:
            assert frame.held_stop == world.frames[frame.index][-1]
            assert frame.complete or pixel_frames == 3
        if pixel_frames == 1000 and frame.index not in bad:
            levels = [level for _, level in world.shown[frame.index]]
            assert levels == sorted(set(levels)), "a picture was replaced by a worse one"
    assert world.max_running <= Capacity().max_requests
    world.assert_no_byte_twice()
    # What failed can be asked for again, and then nothing is missing.
    world.undecodable.clear()
    world.faults.clear()
    world.refusals.clear()
    for index in sorted(bad | gone):
        world.tell(on.Retry(index))
    world.run()
    assert all(frame.error is None for frame in world.scheduler.frames)
    assert all(f.held_stop == world.frames[f.index][-1] for f in world.scheduler.frames)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["single", "sequential", "interleaved", "jls-thumbnail", "lossy"]),
    moves=moves,
    broken=cuts,
    refused=refused,
    bad=st.sets(frames, max_size=2),
    described=st.booleans(),
)
def test_plans_come_to_an_end(name, moves, broken, refused, bad, described):
    volume = moves[0][1].volume
    plan = compile_plan(stock.configuration(name), COUNT, [uids.HTJ2K_LOSSLESS_RPCL], volume=volume)
    world = World(
        [CT_ENDS] * COUNT,
        plan=plan,
        described=described,
        faults={index: (stop, short_body()) for index, stop in broken.items()},
        refusals={(i, 0): [HttpStatus("no", status=status)] for i, status in refused.items()},
        undecodable={index: DecodeError("refused") for index in bad},
    )
    world.others = {(i, number): (20_000,) for i in range(COUNT) for number in range(1, 3)}
    for time_ms, demand in sorted(moves, key=lambda move: move[0]):
        world.at(time_ms, demand)
    world.run()
    assert world.running() == 0
    order, pictures = world.scheduler.order, world.scheduler.ledgers.pictures
    for index in range(COUNT):
        assert order.is_over(index), f"frame {index} hangs in {order.stage_id(index)}"
        shown = pictures[index].is_own
        assert shown or order.error(index) is not None
        assert index in bad or shown or refused.get(index) == 404
    ended = [stage.stage_id for _, stage in world.commands(do.StageEnded)]
    assert sorted(ended) == sorted(stage.id for stage in plan.stages)
    world.assert_no_byte_twice()
