"""Which frames make up a volume, and where its slices lie, against NumPy and real series."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from firstlight.dicom.attributes import ImageAttributes
from firstlight.dicom.metadata import frame_attributes, frame_count
from firstlight.loader.report import series_record
from firstlight.sources.base import Frame, FrameExtent, Series
from firstlight.volume import assemble
from firstlight.volume.planes import Plane

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def slice_at(corner, orientation=AXIAL, spacing=(0.7, 0.5), rows=64, columns=48, **more):
    return ImageAttributes(
        rows=rows,
        columns=columns,
        pixel_spacing=spacing,
        pixel_spacing_source="PixelSpacing",
        image_position_patient=tuple(map(float, corner)),
        image_orientation_patient=tuple(map(float, orientation)),
        **more,
    )


def axial(places, **more):
    return [slice_at((-10, 20, z), **more) for z in places]


def oblique(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A row, a column and their normal, in no particular direction."""
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    row, column = matrix[0], matrix[1]
    return row, column, np.cross(row, column)


@pytest.mark.parametrize("seed", range(5))
def test_slices_are_sorted_along_the_normal_however_they_come(seed):
    row, column, normal = oblique(seed)
    rng = np.random.default_rng(seed)
    origin = rng.normal(size=3) * 100
    order = rng.permutation(20)
    images = [slice_at(origin + 1.5 * n * normal, (*row, *column)) for n in order]
    volume = assemble(images).volume
    assert volume is not None
    assert [order[frame] for frame in volume.frames] == list(range(20))
    np.testing.assert_allclose(volume.positions, 1.5 * np.arange(20), atol=1e-9)
    np.testing.assert_allclose(volume.origin, origin)
    np.testing.assert_allclose(volume.normal, normal, atol=1e-12)
    np.testing.assert_allclose(volume.step, 1.5 * normal, atol=1e-9)
    assert volume.spacing == pytest.approx((0.7, 0.5, 1.5))
    assert (volume.regular, volume.gaps, assemble(images).notices) == (True, (), ())


@pytest.mark.parametrize("seed", range(5))
def test_a_tilted_gantry_shears_the_volume(seed):
    """The corner of every slice is where the step says, which leaves the normal."""
    row, column, normal = oblique(seed)
    step = 3.0 * normal - 0.8 * column + 0.1 * row
    images = [slice_at(n * step, (*row, *column)) for n in range(12)]
    found = assemble(images)
    assert found.volume is not None
    np.testing.assert_allclose(found.volume.step, step, atol=1e-9)
    assert found.volume.spacing[2] == pytest.approx(3.0)
    angle = np.degrees(np.arctan2(np.hypot(0.8, 0.1), 3.0))
    assert found.notices == (
        f"the slices are shifted against each other by {angle:.1f} degrees (gantry tilt)",
    )
    for frame, position in zip(found.volume.frames, found.volume.positions, strict=True):
        corner = np.array(found.volume.origin) + step * position / 3.0
        np.testing.assert_allclose(corner, images[frame].image_position_patient, atol=1e-9)


def test_missing_slices_are_a_gap_that_is_named():
    found = assemble(axial([30, 32.5, 35, 37.5, 45, 47.5, 52.5]))
    assert found.volume is not None
    assert found.volume.gaps == ((3, 2), (5, 1))
    assert found.volume.spacing[2] == 2.5
    assert found.volume.positions == (0, 2.5, 5, 7.5, 15, 17.5, 22.5)
    assert found.notices == (
        "2 slices are missing between 37.5 and 45 mm; they are interpolated and marked",
        "1 slice is missing between 47.5 and 52.5 mm; it is interpolated and marked",
    )
    assert found.volume.regular is False


def test_slices_at_changing_distances_keep_their_places():
    """A head: 2.5 mm through the base, 3.5 mm above."""
    places = [0, 2.5, 5, 7.5, 11, 14.5, 18]
    found = assemble(axial(places))
    assert found.volume is not None
    assert found.volume.positions == tuple(places)
    assert found.volume.gaps == ()
    assert found.volume.regular is False
    assert found.notices == ("the distance between slices varies from 2.5 to 3.5 mm",)


def test_rounded_positions_are_regular():
    places = np.round(np.arange(40) * 3.27, 1)
    found = assemble(axial(places, orientation=(1, 0, 0.0002, 0, 1, 0)))
    assert found.volume is not None
    assert found.volume.regular is True
    assert found.notices == ()
    assert found.volume.spacing[2] == pytest.approx(3.27, abs=0.005)


def test_of_frames_at_one_place_the_first_counts():
    phases = [*axial(range(10)), *axial(range(10)), *axial([3.004])]
    found = assemble(phases)
    assert found.volume is not None
    assert found.volume.frames == tuple(range(10))
    assert found.notices == ("11 frames lie where another one does; the first of each is used",)


def test_frames_of_other_sizes_directions_and_spacings_are_left_out_and_named():
    coronal = (1, 0, 0, 0, 0, -1)
    images = [
        slice_at((0, 0, 5), coronal),
        *axial(range(10)),
        *axial(range(3), rows=512, columns=512),
        *axial(range(4), spacing=(1.0, 1.0)),
        replace(axial([40])[0], image_position_patient=None),
        replace(axial([41])[0], samples_per_pixel=3, photometric_interpretation="RGB"),
    ]
    found = assemble(images)
    assert found.volume is not None
    assert found.volume.frames == tuple(range(1, 11))
    assert set(found.notices) == {
        "1 frame in another direction is left out of the volume",
        "3 frames of 512 x 512 px are left out of the volume",
        "4 frames of another pixel spacing are left out of the volume",
        "1 frame without a place in the patient is left out of the volume",
        "1 frame in colour is left out of the volume",
    }


def radial(count):
    """Planes around an axis: no two are parallel."""
    angles = np.pi * np.arange(count) / count
    return [slice_at((0, 0, 0), (np.cos(a), np.sin(a), 0, 0, 0, 1)) for a in angles]


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        ([], "no volume: there is one frame only"),
        (axial([1]), "no volume: there is one frame only"),
        (axial([7, 7, 7]), "no volume: all frames lie at the same position"),
        (radial(200), "no volume: no two parallel frames of one size lie at different positions"),
        (
            [slice_at((n % 2 * 30, n * n, n)) for n in range(9)],
            "no volume: the slices do not lie above one another",
        ),
        (
            [ImageAttributes(rows=8, columns=8)] * 3,
            "no volume: 3 frames without a place in the patient",
        ),
        (
            [replace(i, pixel_spacing_source="ImagerPixelSpacing") for i in axial([1, 2])],
            "no volume: 2 frames without a place in the patient",
        ),
        (
            [replace(i, image_orientation_patient=(0.0,) * 6) for i in axial([1, 2])],
            "no volume: 2 frames without a place in the patient",
        ),
    ],
)
def test_what_makes_no_volume_is_told_why(images, reason):
    found = assemble(images)
    assert (found.volume, found.reason) == (None, reason)


def read(folder, pattern="*.dcm"):
    datasets = [dcmread(file, stop_before_pixels=True) for file in sorted(folder.glob(pattern))]
    return [frame_attributes(one, n) for one in datasets for n in range(frame_count(one))]


@pytest.mark.parametrize(
    ("name", "slices", "spacing"),
    [("ct-acrin-135", 135, 3.27), ("mr-brain-19", 19, 6.9966)],
)
def test_real_series_lie_where_numpy_puts_them(shared_data, name, slices, spacing):
    images = read(shared_data / "volumes" / name)
    found = assemble(images)
    assert found.volume is not None
    assert found.notices == ()
    assert len(found.volume.frames) == slices
    row, column = np.split(np.array(images[0].image_orientation_patient), 2)
    normal = np.cross(row, column)
    corners = np.array([images[n].image_position_patient for n in found.volume.frames])
    places = corners @ normal
    assert (np.diff(places) > 0).all()
    np.testing.assert_allclose(found.volume.positions, places - places[0], atol=1e-6)
    assert found.volume.spacing[2] == pytest.approx(spacing, abs=1e-3)
    # on the line that the volume follows, every corner is off by less than half a pixel
    line = corners[0] + np.outer(places - places[0], found.volume.step) / found.volume.spacing[2]
    assert np.linalg.norm(line - corners, axis=1).max() < 0.5 * min(found.volume.spacing[:2])


def test_the_same_image_in_many_codings_is_no_volume(shared_data):
    """45 files of the codec samples lie at few places, none above another."""
    found = assemble(read(shared_data / "wg04"))
    assert found.volume is None
    assert found.reason.startswith("no volume: ")


def test_functional_groups_of_a_multi_frame_file_make_a_volume(shared_data):
    found = assemble(read(shared_data / "dicom", "seg_image_ct_binary.dcm"))
    assert found.volume is not None
    assert found.volume.spacing == pytest.approx((0.488281, 0.488281, 1.25))
    assert len(found.volume.frames) == 3


def test_each_slice_of_a_pet_series_keeps_its_own_rescale():
    """The volume names frames; what their values mean stays with them."""
    images = [slice_at((0, 0, n), rescale_slope=1 + n, modality_lut=None) for n in range(6)]
    record = series_record(0, Series(tuple(Frame(i, FrameExtent("a")) for i in images)))
    volume = record["volume"]
    assert isinstance(volume, dict)
    frames = record["frames"]
    assert isinstance(frames, list)
    slopes = [frames[index].get("rescale_slope", 1) for index in volume["frames"]]
    assert slopes == [1, 2, 3, 4, 5, 6]
    assert json.loads(json.dumps(volume)) == volume
    assert record["noVolume"] == ""


def test_the_record_says_why_there_is_no_volume():
    series = Series((Frame(ImageAttributes(rows=8, columns=8), FrameExtent("a")),))
    record = series_record(0, series)
    assert record["volume"] is None
    assert record["noVolume"] == "no volume: there is one frame only"


def test_planes_around_an_axis_are_not_all_compared_with_all(monkeypatch):
    compared = 0
    difference = Plane.difference

    def counting(self, other):
        nonlocal compared
        compared += 1
        return difference(self, other)

    monkeypatch.setattr(Plane, "difference", counting)
    assert assemble(radial(600)).volume is None
    assert 600 < compared <= 600 * 50
