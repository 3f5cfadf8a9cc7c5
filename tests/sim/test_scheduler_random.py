"""Any sequence of scrolls, faults and retries keeps the scheduler's promises."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.errors import DecodeError
from firstlight.schedule import Capacity
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from sim.world import CT_ENDS, RADIOGRAPH_ENDS, World, short_body

COUNT = 12

scrolls = st.tuples(
    st.floats(0, 3000, allow_nan=False),
    st.integers(0, COUNT - 1),
    st.sampled_from([-1, 0, 1]),
)


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(scrolls, min_size=1, max_size=12),
    big=st.sets(st.integers(0, COUNT - 1), max_size=4),
    broken=st.dictionaries(st.integers(0, COUNT - 1), st.integers(1, 20_000), max_size=3),
    bad=st.sets(st.integers(0, COUNT - 1), max_size=2),
    described=st.booleans(),
    pixel_frames=st.sampled_from([3, 1000]),
)
def test_promises_hold(moves, big, broken, bad, described, pixel_frames):
    world = World(
        [RADIOGRAPH_ENDS if index in big else CT_ENDS for index in range(COUNT)],
        described=described,
        faults={index: (stop, short_body()) for index, stop in broken.items()},
        undecodable={index: DecodeError("refused") for index in bad},
        capacity=Capacity(pixel_bytes=pixel_frames * 1000 * 4**6),
    )
    for time_ms, frame, direction in sorted(moves):
        world.at(time_ms, on.Demand(visible=(frame,), direction=direction))
    world.run()
    # Nothing is left hanging: every frame is final, failed, or was dropped from memory.
    assert world.running() == 0
    for frame in world.scheduler.frames:
        failed = frame.error is not None
        troubled = frame.index in broken or frame.index in bad
        # With memory for three frames a bad one far away is not even tried.
        assert failed == troubled or (pixel_frames == 3 and frame.index in bad)
        if not failed:
            assert frame.held_stop == world.frames[frame.index][-1]
            assert frame.complete or pixel_frames == 3
        levels = [level for _, level in world.shown[frame.index]]
        if pixel_frames == 1000:
            assert levels == sorted(set(levels)), "a picture was replaced by a worse one"
    assert world.max_running <= Capacity().requests
    for spans in world.fetched.values():
        at = 0
        for start, stop in sorted(spans):
            assert start == at, "a byte was fetched twice or left out"
            at = stop
    # What failed can be asked for again, and then nothing is missing.
    world.undecodable.clear()
    world.faults.clear()
    released = {c.frame_index for _, c in world.commands(do.Release)}
    assert not released
    for index in sorted({*broken, *bad}):
        world.tell(on.Retry(index))
    world.run()
    assert all(frame.error is None for frame in world.scheduler.frames)
    assert all(f.held_stop == world.frames[f.index][-1] for f in world.scheduler.frames)
