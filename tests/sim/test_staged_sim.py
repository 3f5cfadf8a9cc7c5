"""Retrieve configurations on the virtual clock: which requests, in which order, to what end."""

from __future__ import annotations

import pytest

from firstlight.dicom import uids
from firstlight.errors import DecodeError, HttpStatus, Unreachable
from firstlight.retrieve import stock
from firstlight.retrieve.configuration import (
    Nearby,
    RetrieveConfiguration,
    RetrieveOptions,
    Stage,
)
from firstlight.retrieve.plan import Plan, compile_plan
from firstlight.retrieve.status import Quality
from firstlight.schedule import commands as do
from firstlight.schedule import events as on
from sim.world import CT_ENDS, World

HTJ2K = uids.HTJ2K_LOSSLESS_RPCL
THUMBNAIL_ENDS = (20_000,)
NAMES = ("single", "sequential", "interleaved", "htj2k-range", "jls-thumbnail", "lossy")


def plan_of(name: str, count: int, *, volume: bool = True) -> Plan:
    return compile_plan(stock.configuration(name), count, [HTJ2K], volume=volume)


def world_of(plan: Plan, count: int, **facts: object) -> World:
    return World([CT_ENDS] * count, plan=plan, **facts)


def stages(world: World) -> dict[str, do.StageEnded]:
    return {stage.stage_id: stage for _, stage in world.commands(do.StageEnded)}


def asked(world: World) -> list[tuple[int, int, int, int | None]]:
    """Frame, representation, first and last byte of each request."""
    return [
        (c.frame_index, c.representation, c.extent.start, c.extent.stop)
        for _, c in world.commands(do.Fetch)
    ]


def test_single_is_one_streamed_request_a_frame():
    world = world_of(plan_of("single", 5, volume=False), 5)
    world.tell(on.Demand(visible=(2,)))
    world.run()
    assert [(f, r, start) for f, r, start, _ in asked(world)] == [
        (2, 0, 0),
        (0, 0, 0),
        (1, 0, 0),
        (3, 0, 0),
        (4, 0, 0),
    ]
    assert [level for _, level in world.shown[2]][-1] == 5
    assert all(world.quality(index) is Quality.FULL_RESOLUTION for index in range(5))
    ended = stages(world)["initialImages"]
    assert (ended.number_of_images, ended.number_of_failures, ended.number_of_skipped) == (5, 0, 0)


def test_sequential_brings_a_part_of_all_and_then_the_rest():
    count = 6
    world = world_of(plan_of("sequential", count, volume=False), count)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    chunk = stock.VOLUME_CHUNK_BYTES
    first = [request for request in asked(world) if request[2] == 0]
    rest = [request for request in asked(world) if request[2] > 0]
    assert sorted(first) == [(index, 0, 0, chunk) for index in range(count)]
    assert sorted(rest) == [(index, 0, chunk, CT_ENDS[-1]) for index in range(count)]
    assert all(frame.complete for frame in world.scheduler.frames)
    assert round(world.wire_bytes) == count * CT_ENDS[-1]
    world.assert_no_byte_twice()
    # 65,536 bytes end between two levels: the finest complete one is shown, not a guess.
    assert {level for _, level in world.shown[3]} == {4, 5}
    ended = stages(world)
    assert list(ended) == ["lossySequential", "finalSequential", "errorRetrieve"]
    assert ended["errorRetrieve"].number_of_skipped == count
    assert ended["lossySequential"].start_duration_ms == 0
    assert ended["finalSequential"].stage_duration_ms > 0


def test_interleaved_starts_in_its_order_and_fills_the_gaps_with_neighbours():
    count = 40
    world = world_of(plan_of("interleaved", count), count)
    world.tell(on.Demand(visible=(0,), volume=True))
    replicas: dict[int, int] = {}
    while world.running() or not world.log:
        world.run(until_ms=world.now + 5)
        for index, picture in enumerate(world.scheduler.ledgers.pictures):
            if picture.replica_of is not None:
                replicas[index] = picture.replica_of
                assert picture.quality < Quality.SUBRESOLUTION
                assert abs(picture.replica_of - index) <= 2
    world.run()
    order = [request[0] for request in asked(world)]
    initial = {19, 0, 39}
    quarter = set(range(3, count, 4)) - initial
    assert set(order[:3]) == initial
    assert set(order[3 : 3 + len(quarter)]) == quarter
    assert set(replicas) <= set(range(count)) - initial
    assert replicas, "nobody stood in for anybody"
    assert all(picture.replica_of is None for picture in world.scheduler.ledgers.pictures)
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()
    assert round(world.wire_bytes) == count * CT_ENDS[-1]
    ended = stages(world)
    assert len(ended) == 8
    assert ended["initialImages"].number_of_images == 3
    assert ended["errorRetrieve"].number_of_skipped == count


def test_a_thumbnail_of_its_own_comes_first_and_is_replaced():
    count = 8
    plan = plan_of("jls-thumbnail", count, volume=False)
    world = world_of(plan, count)
    names = world.scheduler.variants
    thumbnail, final = names["/jlsThumbnail/", ""], names["/jls/", ""]
    world.others = {(index, thumbnail): THUMBNAIL_ENDS for index in range(count)}
    world.others |= {(index, final): (200_000,) for index in range(count)}
    world.tell(on.Demand(visible=(3,)))
    world.run()
    assert asked(world)[0][:2] == (3, thumbnail)
    assert next(request[0] for request in asked(world) if request[1] == final) == 3
    assert {request[1] for request in asked(world)} == {thumbnail, final}
    for picture in world.scheduler.ledgers.pictures:
        assert picture.quality is Quality.FULL_RESOLUTION
        assert picture.representation == final
    assert stages(world)["errorRetrieve"].number_of_skipped == count


def test_fallback_stages_run_after_a_failure_and_others_do_not_wait():
    count = 8
    plan = plan_of("jls-thumbnail", count, volume=False)
    world = world_of(plan, count)
    names = world.scheduler.variants
    thumbnail, final = names["/jlsThumbnail/", ""], names["/jls/", ""]
    world.others = {(index, number): THUMBNAIL_ENDS for index in range(8) for number in (1, 2)}
    missing = HttpStatus("not there", status=404)
    world.refusals = {(2, thumbnail): [missing], (5, thumbnail): [missing], (5, final): [missing]}
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert [request[1] for request in asked(world) if request[0] == 2] == [thumbnail, final]
    assert [request[1] for request in asked(world) if request[0] == 5] == [thumbnail, final, 0]
    assert all(world.quality(index) is Quality.FULL_RESOLUTION for index in range(count))
    ended = stages(world)
    assert ended["lossySequential"].number_of_failures == 2
    assert ended["finalSequential"].number_of_failures == 1
    assert ended["errorRetrieve"].number_of_skipped == count - 1
    assert all(world.scheduler.order.error(index) is None for index in range(count))


def test_what_stays_lossy_on_purpose_is_as_configured_and_not_a_failure():
    lossy = RetrieveOptions(frames_path="/lossy/", image_quality_status=Quality.LOSSY)
    configuration = RetrieveConfiguration("own", (Stage("only"),), {"default": lossy})
    world = world_of(compile_plan(configuration, 3, [HTJ2K]), 3)
    world.others = {(index, 1): THUMBNAIL_ENDS for index in range(3)}
    world.tell(on.Demand(visible=(0,)))
    world.run()
    order = world.scheduler.order
    assert [world.quality(index) for index in range(3)] == [Quality.LOSSY] * 3
    assert all(order.is_over(index) and order.error(index) is None for index in range(3))
    assert stages(world)["only"].number_of_failures == 0


def test_a_frame_that_fails_everywhere_ends_with_its_error_and_comes_when_asked_again():
    plan = plan_of("sequential", 4, volume=False)
    world = world_of(plan, 4, refusals={(1, 0): [HttpStatus("no", status=404)] * 3})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert len(world.fetches(1)) == 3
    assert isinstance(world.scheduler.order.error(1), HttpStatus)
    assert [world.quality(index) is not None for index in range(4)] == [True, False, True, True]
    assert all(stage.number_of_failures == 1 for stage in stages(world).values())
    world.tell(on.Retry(1))
    world.run()
    assert world.scheduler.order.error(1) is None
    assert world.quality(1) is Quality.FULL_RESOLUTION


def test_a_connection_that_breaks_is_tried_again_before_the_next_stage():
    plan = plan_of("sequential", 4, volume=False)
    world = world_of(plan, 4, refusals={(1, 0): [Unreachable("gone")]})
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    assert all(stage.number_of_failures == 0 for stage in stages(world).values())


def test_bytes_that_cannot_be_decoded_are_fetched_anew_by_the_next_stage():
    plan = plan_of("sequential", 3, volume=False)
    world = world_of(plan, 3, undecodable={1: DecodeError("refused")})
    world.tell(on.Demand(visible=(0,)))
    world.run(until_ms=60)
    world.undecodable.clear()
    world.run()
    assert world.quality(1) is Quality.FULL_RESOLUTION
    assert all(frame.complete for frame in world.scheduler.frames)


def test_the_frame_on_screen_goes_first_in_every_plan_and_scrolling_re_ranks():
    world = world_of(plan_of("sequential", 50, volume=False), 50)
    world.tell(on.Demand(visible=(20,)))
    assert asked(world)[0][0] == 20
    world.run(until_ms=300)
    world.tell(on.Demand(visible=(45,), direction=1))
    world.run(until_ms=600)
    assert world.quality(45) is Quality.FULL_RESOLUTION
    world.run()
    assert all(frame.complete for frame in world.scheduler.frames)
    world.assert_no_byte_twice()


def test_neighbours_stand_in_with_the_status_that_the_stage_gives():
    near = (Nearby(1, Quality.ADJACENT_REPLICATE), Nearby(2, Quality.FAR_REPLICATE))
    stage = Stage("some", decimate=3, nearby_frames=near)
    world = world_of(compile_plan(RetrieveConfiguration("own", (stage,)), 6, [HTJ2K]), 6)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    pictures = world.scheduler.ledgers.pictures
    assert [(p.quality, p.replica_of) for p in pictures[:3]] == [
        (Quality.FULL_RESOLUTION, None),
        (Quality.ADJACENT_REPLICATE, 0),
        (Quality.FAR_REPLICATE, 0),
    ]


def test_a_retriever_of_ones_own_is_obeyed_in_its_order():
    world = world_of(Plan("own", adaptive=False), 4)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert asked(world) == []
    part = RetrieveOptions(range_index=0, chunk_size_bytes=5_000)
    for index, options in ((2, part), (2, RetrieveOptions()), (1, part)):
        world.tell(on.Requested(index, options))
    world.run()
    assert asked(world) == [(2, 0, 0, 5_000), (1, 0, 0, 5_000), (2, 0, 5_000, CT_ENDS[-1])]
    told = [(c.frame_index, c.quality) for _, c in world.commands(do.Retrieved)]
    assert told.count((2, Quality.SUBRESOLUTION)) == 1
    assert told.count((1, Quality.SUBRESOLUTION)) == 1
    assert told[-1] == (2, Quality.FULL_RESOLUTION)


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("described", [True, False])
def test_every_stock_plan_ends_with_every_frame_and_no_byte_twice(name, described):
    count = 12
    for volume in (True, False):
        world = world_of(plan_of(name, count, volume=volume), count, described=described)
        world.others = {
            (index, number): THUMBNAIL_ENDS
            for index in range(count)
            for number in range(1, len(world.scheduler.variants))
        }
        world.tell(on.Demand(visible=(4,), volume=volume))
        world.run()
        order = world.scheduler.order
        for index in range(count):
            full = world.quality(index) is Quality.FULL_RESOLUTION
            assert full or order.is_over(index), f"{name}: frame {index}"
            assert order.error(index) is None
        world.assert_no_byte_twice()
        assert world.running() == 0


def test_a_frame_that_no_stage_selects_is_asked_for_when_it_is_looked_at():
    configuration = RetrieveConfiguration("own", (Stage("even", decimate=2, offset=0),))
    world = world_of(compile_plan(configuration, 8, [HTJ2K]), 8)
    world.tell(on.Demand(visible=(0,)))
    world.run()
    assert [world.quality(index) is not None for index in range(8)] == [True, False] * 4
    world.tell(on.Demand(visible=(3,)))
    world.run()
    assert world.quality(3) is Quality.FULL_RESOLUTION
    assert world.quality(5) is None
    assert world.scheduler.order.is_over(3)
    assert world.scheduler.order.stage_id(3) is None
    assert stages(world)["even"].number_of_images == 4
    assert len(world.fetches(3)) == 1


def test_a_refused_level_fails_its_stage_and_not_the_frame():
    plan = plan_of("sequential", 3, volume=False)
    world = world_of(plan, 3, unsupported={1: {0, 1, 2, 3, 4}})
    world.tell(on.Demand(visible=(1,)))
    world.run()
    assert world.quality(1) is Quality.FULL_RESOLUTION
    assert world.scheduler.order.error(1) is None
    world.assert_no_byte_twice()
