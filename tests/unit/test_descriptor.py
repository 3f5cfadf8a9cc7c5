"""firstlight.json: what is written is read back, and what breaks the format is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.dicom.attributes import ImageAttributes, Window
from firstlight.errors import MalformedDescriptor
from firstlight.sources.descriptor import (
    Descriptor,
    FrameEntry,
    SeriesEntry,
    read_descriptor,
    write_descriptor,
)

IMAGE = ImageAttributes(rows=5, columns=4, windows=(Window(1.0, 2.0, "LUNG"),))


def frame(**changes: object) -> FrameEntry:
    values: dict[str, object] = {
        "url": "a.jph",
        "length": 100,
        "level_ends": (10, 50, 98),
        "image": IMAGE,
    }
    return FrameEntry(**{**values, **changes})  # type: ignore[arg-type]


images = st.builds(
    ImageAttributes,
    rows=st.integers(1, 9999),
    columns=st.integers(1, 9999),
    bits_stored=st.integers(1, 16),
    rescale_slope=st.floats(0.001, 1000),
    windows=st.lists(
        st.builds(Window, st.floats(-1e4, 1e4), st.floats(1, 1e4), st.text(max_size=5)), max_size=3
    ).map(tuple),
    image_position_patient=st.none() | st.tuples(*[st.floats(-1e3, 1e3)] * 3),
)
frames = st.builds(
    frame,
    url=st.text(min_size=1),
    start=st.integers(0, 1 << 40),
    frame_number=st.integers(1, 1000),
    image=images,
)
series = st.builds(
    SeriesEntry,
    series_instance_uid=st.text(),
    frames=st.lists(frames, max_size=4).map(tuple),
    series_number=st.none() | st.integers(),
    series_description=st.text(),
)


@given(
    st.builds(
        Descriptor,
        series=st.lists(series, max_size=3).map(tuple),
        generator=st.text(),
        first_level=st.binary(max_size=100),
    )
)
def test_round_trip(descriptor: Descriptor) -> None:
    assert read_descriptor(write_descriptor(descriptor)) == descriptor


def test_shared_attributes_are_written_once() -> None:
    other = ImageAttributes(rows=5, columns=4, windows=IMAGE.windows, bits_stored=12)
    both = SeriesEntry("1.2", (frame(), frame(image=other)))
    record = json.loads(write_descriptor(Descriptor(series=(both,))))["series"][0]
    assert record["image"]["rows"] == 5
    assert "image" not in record["frames"][0]
    assert record["frames"][1]["image"] == {"bits_stored": 12}


@pytest.mark.parametrize("ends", [(), (0, 5), (5, 5), (9, 3), (10, 101)])
def test_level_ends_that_cannot_be(ends: tuple[int, ...]) -> None:
    with pytest.raises(MalformedDescriptor, match=r"a\.jph"):
        frame(level_ends=ends)


GOOD = json.loads(write_descriptor(Descriptor(series=(SeriesEntry("1.2", (frame(),)),))))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"firstlight": 2, "series": []}',
        '{"firstlight": 1}',
        '{"firstlight": 1, "series": 5}',
        '{"firstlight": 1, "series": [{}]}',
        '{"firstlight": 1, "series": [{"series_instance_uid": "1", "frames": [{}]}]}',
        json.dumps(GOOD).replace('"rows": 5, ', ""),
        json.dumps(GOOD).replace('"rows"', '"rouws"'),
        json.dumps(GOOD).replace("[10, 50, 98]", "[50, 10, 98]"),
        json.dumps(GOOD).replace("[10, 50, 98]", '"x"'),
        json.dumps({**GOOD, "first_level": "no base64"}),
        json.dumps({**GOOD, "first_level": 5}),
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedDescriptor) as caught:
        read_descriptor(text, resource="there")
    assert caught.value.resource
