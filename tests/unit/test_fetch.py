"""``firstlight fetch`` and ``firstlight index``: frames to files, and indices beside them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import fsspec
import imagecodecs
import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from firstlight.adapters.load import LoadedFrame, load_frame
from firstlight.cli import app
from firstlight.cli.pictures import displayed
from firstlight.dicom.attributes import ImageAttributes, Window
from support.faulty_server import FaultyServer
from support.patience import WAIT_S
from unit.prepare_sources import copied, descriptor_of, image, run, saved, shipped

RAMP = np.arange(-2000, 2000, dtype=np.int16).reshape(40, 100)


def invoked(*arguments: object):
    return CliRunner().invoke(app, [*map(str, arguments)])


def fetched(*arguments: object) -> dict:
    result = invoked("fetch", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*arguments: object) -> str:
    result = invoked(*arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fetch")
    source = copied(folder / "in", "CT_small.dcm", "MR_small.dcm")
    assert run(source, "-o", folder / "out", "--layout", "jphuri", "-q", "-j", 1).exit_code == 0
    return folder / "out"


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    attributes = {"WindowCenter": 100, "WindowWidth": 1000, "RescaleSlope": 2}
    return saved(tmp_path / "ramp.dcm", image(RAMP, RescaleIntercept=-50, **attributes))


# -- formats ------------------------------------------------------------------------------------


def test_npy_has_the_stored_values(tree: Path, tmp_path: Path) -> None:
    fetched(tree / "firstlight.json", "-o", tmp_path / "a.npy")
    expected = pydicom.dcmread(shipped("CT_small.dcm")).pixel_array
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected)
    assert np.load(tmp_path / "a.npy").dtype == expected.dtype


def test_png_is_windowed(ramp: Path, tmp_path: Path) -> None:
    fetched(ramp, "-o", tmp_path / "a.png")
    shown = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())
    assert shown.dtype == np.uint8
    # PS3.3 C.11.2.1.2.1 in its own words, pixel by pixel
    for stored, grey in zip(RAMP.ravel(), shown.ravel(), strict=True):
        x = 2 * float(stored) - 50
        if x <= 100 - 0.5 - 999 / 2:
            expected = 0.0
        elif x > 100 - 0.5 + 999 / 2:
            expected = 255.0
        else:
            expected = ((x - 99.5) / 999 + 0.5) * 255
        assert abs(grey - expected) <= 0.5


def test_raw_png_keeps_every_value(ramp: Path, tmp_path: Path) -> None:
    fetched(ramp, "--raw", "-o", tmp_path / "a.png")
    raw = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())
    assert raw.dtype == np.uint16
    assert np.array_equal(raw.astype(np.int32) - 32768, RAMP)


def test_dicom_is_read_by_others(tree: Path, tmp_path: Path) -> None:
    fetched(tree / "firstlight.json", "-o", tmp_path / "a.dcm")
    written, source = pydicom.dcmread(tmp_path / "a.dcm"), pydicom.dcmread(shipped("CT_small.dcm"))
    assert np.array_equal(written.pixel_array, source.pixel_array)
    for keyword in ("RescaleIntercept", "PixelSpacing", "ImagePositionPatient", "Modality"):
        assert written[keyword].value == source[keyword].value
    assert written.PatientID == ""


def test_colour_keeps_its_order(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    path = saved(tmp_path / "rgb.dcm", image(values))
    for name in ("a.png", "a.dcm"):
        fetched(path, "-o", tmp_path / name)
    png = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())
    assert np.array_equal(png, values)
    assert np.array_equal(pydicom.dcmread(tmp_path / "a.dcm").pixel_array, values)


@pytest.mark.parametrize(
    ("photometric", "function", "stored", "grey"),
    [
        ("MONOCHROME2", "LINEAR", [0, 100, 200], [0, 128, 255]),
        ("MONOCHROME1", "LINEAR", [0, 100, 200], [255, 127, 0]),
        ("MONOCHROME2", "LINEAR_EXACT", [0, 50, 100, 150], [0, 0, 128, 255]),
        ("MONOCHROME2", "SIGMOID", [-9000, 100, 9000], [0, 128, 255]),
    ],
)
def test_displayed(photometric, function, stored, grey) -> None:
    attributes = ImageAttributes(
        rows=1,
        columns=len(stored),
        photometric_interpretation=photometric,
        windows=(Window(100, 100),),
        voi_lut_function=function,
    )
    shown = displayed(np.array([stored], np.int16), attributes)
    assert np.all(np.abs(shown.astype(int) - grey) <= 1)


# -- what it costs ------------------------------------------------------------------------------


def test_a_level_costs_its_bytes_alone(tree: Path) -> None:
    frame = descriptor_of(tree).series[1].frames[0]
    record = fetched(tree / "firstlight.json", "--series", 2, "--level", 0)
    descriptor_bytes = (tree / "firstlight.json").stat().st_size
    assert record["fetched_bytes"] == descriptor_bytes + frame.level_ends[0]
    assert (record["resolution_level"], record["decomposition_levels"]) == (0, 2)
    assert (record["rows"], record["columns"]) == (16, 16)


def test_an_object_store(tree: Path) -> None:
    store = f"memory://{tree.parent.name}"
    for name in ("image1.jph", "image1.metadata.dcm"):
        with fsspec.open(f"{store}/{name}", "wb") as file:
            file.write((tree / name).read_bytes())
    record = fetched(f"jphuri:{store}/image1.jph")
    assert (record["rows"], record["requests"]) == (128, 2)


def test_a_descriptor_in_an_object_store(tree: Path, tmp_path: Path) -> None:
    """What it names lies beside it, in whatever kind of store that is."""
    store = f"memory://{tree.parent.name}-all"
    for path in filter(Path.is_file, tree.rglob("*")):
        with fsspec.open(f"{store}/{path.relative_to(tree).as_posix()}", "wb") as file:
            file.write(path.read_bytes())
    fetched(f"{store}/firstlight.json", "-o", tmp_path / "a.npy")
    expected = pydicom.dcmread(shipped("CT_small.dcm")).pixel_array
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected)


def test_float_pixels(shared_data: Path, tmp_path: Path) -> None:
    fetched(shared_data / "dicom/parametric_map_float.dcm", "-o", tmp_path / "a.npy")
    expected = pydicom.dcmread(shared_data / "dicom/parametric_map_float.dcm").pixel_array
    found = np.load(tmp_path / "a.npy")
    assert found.dtype == np.float32
    assert np.array_equal(found, expected.reshape(-1, *found.shape)[0])


def test_a_size_limit(tree: Path) -> None:
    assert "samples are more than 10" in refused("fetch", tree / "image1.jph", "--max-samples", 10)
    assert fetched(tree / "image1.jph", "--max-samples", 1 << 20)["rows"] == 128


def test_http(tree: Path, tmp_path: Path) -> None:
    files = {f"/{path.name}": path.read_bytes() for path in tree.iterdir() if path.is_file()}
    with FaultyServer(files) as server:
        fetched(server.url("/firstlight.json"), "-o", tmp_path / "a.npy")
    expected = pydicom.dcmread(shipped("CT_small.dcm")).pixel_array
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected)


# -- refusals -----------------------------------------------------------------------------------


def test_refusals(tree: Path, tmp_path: Path) -> None:
    src = tree / "firstlight.json"
    assert "no frame 2" in refused("fetch", src, "--frame", 2)
    assert "no series 3" in refused("fetch", src, "--series", 3)
    assert "no resolution level 7" in refused("fetch", src, "--level", 7)
    assert "no such file" in refused("fetch", tmp_path / "nothing.dcm")
    assert "No such file" in refused("fetch", src, "-o", tmp_path / "nowhere" / "a.npy")
    (tmp_path / "text.dcm").write_text("no image")
    assert "text.dcm" in refused("fetch", tmp_path / "text.dcm")


@pytest.mark.parametrize(
    "arguments",
    [["--frame", 0], ["--level", -1], ["-o", "a.jpg"], ["-o", "a.dcm", "--level", 0]],
)
def test_bad_usage(tree: Path, arguments: list) -> None:
    result = invoked("fetch", tree / "firstlight.json", *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


# -- real files ---------------------------------------------------------------------------------

_NOT_EXACT = {
    "htj2k/HTJ2K_08_RGB.203.dcm": "lossy: decoders differ by one",
    "dicom/SC_rgb_small_odd_big_endian.dcm": "bytes swapped in words: the order does not say so",
    "dicom/parametric_map_float.dcm": "floating point is refused",
}


def test_real_files_are_decoded_to_the_expected_values(shared_data: Path) -> None:
    """The first stored frame of every file, by whichever decoder its syntax needs."""
    expected = json.loads((shared_data / "expected.json").read_text())
    names = [
        name
        for name, entry in expected.items()
        if name.startswith(("dicom/", "htj2k/")) and name.endswith(".dcm") and entry.get("decoded")
    ]
    assert len(names) > 50
    wrong = [
        name
        for name in names
        if name not in _NOT_EXACT
        and frame_hash(shared_data / name) != expected[name]["decoded"]["frame1"]
    ]
    assert wrong == []


def frame_hash(path: Path) -> str:
    src = f"wadouri:{path.as_uri()}?frame=1"
    loaded = asyncio.run(asyncio.wait_for(load_frame(src), WAIT_S))
    values = loaded.picture.values
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()


# -- index --------------------------------------------------------------------------------------


@pytest.fixture
def many_frames(tmp_path: Path) -> Path:
    return copied(tmp_path, "emri_small_jpeg_2k_lossless.dcm") / "emri_small_jpeg_2k_lossless.dcm"


def loaded(url: str) -> LoadedFrame:
    return asyncio.run(asyncio.wait_for(load_frame(f"wadouri:{url}", 4, 2), WAIT_S))


def test_an_index_saves_the_search(many_frames: Path) -> None:
    with FaultyServer({"/x.dcm": many_frames.read_bytes()}) as server:
        before = loaded(server.url("/x.dcm"))
        result = invoked("index", many_frames, "--json")
        assert result.exit_code == 0
        (record,) = json.loads(result.stdout)
        assert (record["frames"], record["frames_with_level_ends"]) == (10, 10)
        server.files["/x.dcm.firstlight.json"] = Path(record["index"]).read_bytes()
        server.requests.clear()
        after = loaded(server.url("/x.dcm"))
        assert len(server.requests("/x.dcm")) == 2  # its head, and the frame
    assert np.array_equal(after.picture.values, before.picture.values)
    assert after.requests <= before.requests


def test_every_frame_is_where_the_index_says(many_frames: Path) -> None:
    assert invoked("index", many_frames).exit_code == 0
    whole = pydicom.dcmread(many_frames)
    record = json.loads(Path(f"{many_frames}.firstlight.json").read_text())
    content = many_frames.read_bytes()
    for index, frame in enumerate(record["frames"]):
        codestream = content[frame["start"] : frame["start"] + frame["length"]]
        assert np.array_equal(imagecodecs.jpeg2k_decode(codestream), whole.pixel_array[index])


def test_index_goes_on_after_a_bad_file(many_frames: Path, tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("no image")
    result = invoked("index", tmp_path / "text.dcm", many_frames)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert Path(f"{many_frames}.firstlight.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        many_frames.name,
        f"{many_frames.name}.firstlight.json",
        "text.dcm",
    ]


def test_deflated_files_need_no_index(tmp_path: Path) -> None:
    path = copied(tmp_path, "image_dfl.dcm") / "image_dfl.dcm"
    assert "deflated" in refused("index", path)
