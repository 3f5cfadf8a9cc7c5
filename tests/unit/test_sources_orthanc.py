"""`dicomweb:` against a real Orthanc with its DICOMweb plugin, on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pydicom
import pytest
from pydicom.encaps import generate_frames

from firstlight.dicomweb.multipart import TAIL_BYTES, payload_stop, read_part_head
from firstlight.errors import HttpStatus
from firstlight.sources.base import Part
from firstlight.sources.open import source_for
from support.orthanc import running_orthanc
from support.patience import WAIT_S

if TYPE_CHECKING:
    from pathlib import Path


class HttpxResources:
    """`sources.base.Resources` that sends Accept headers, which Orthanc insists on."""

    async def whole(self, url, *, limit_bytes, accept=""):
        return self._get(url, accept).content[:limit_bytes]

    async def part(self, url, extent, *, version=None, accept=""):
        content = self._get(url, accept).content
        return Part(content[extent.start : extent.stop], len(content), "", ranges=False)

    def head_start(self, url):
        """Not needed here."""

    async def need(self, package):
        """Everything is installed here."""

    def _get(self, url, accept):
        answer = httpx.get(url, headers={"Accept": accept or "*/*"}, timeout=WAIT_S)
        if answer.status_code != 200:
            raise HttpStatus("no frame", status=answer.status_code, resource=url)
        return answer


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as address:
        yield address


def store(orthanc: str, path: Path) -> str:
    """Store a file; the address of its instance."""
    httpx.post(f"{orthanc}/instances", content=path.read_bytes(), timeout=WAIT_S).raise_for_status()
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    series = f"studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
    return f"dicomweb:{orthanc}/dicom-web/{series}/instances/{dataset.SOPInstanceUID}"


def opened(orthanc: str, path: Path):
    """The one series at the address of a file that was stored."""
    (series,) = asyncio.run(source_for(store(orthanc, path)).open(HttpxResources()))
    return series


def stored_frame(path: Path) -> bytes:
    """The only frame of a compressed file."""
    (frame,) = generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    return frame


def frame_of(extent) -> bytes:
    headers = {"Accept": extent.accept} if extent.accept else {}
    answer = httpx.get(extent.url, headers=headers, timeout=WAIT_S)
    answer.raise_for_status()
    head = read_part_head(answer.content, content_type=answer.headers["content-type"])
    assert head.length is not None
    stop = payload_stop(head, answer.content[-TAIL_BYTES:], len(answer.content))
    return answer.content[head.payload_start : stop]


@pytest.mark.parametrize(
    ("name", "frame_count"),
    [
        ("wg04/MR1_UNC.dcm", 1),
        ("volumes/mr-brain-19/brain_002.dcm", 1),
        ("dicom/emri_small.dcm", 10),
        ("dicom/SC_rgb_small_odd.dcm", 1),
    ],
)
def test_uncompressed_frames(orthanc, shared_data, name, frame_count):
    path = shared_data / name
    series = opened(orthanc, path)
    assert (series.frames[0].coding.codec, len(series.frames)) == ("native-le", frame_count)
    pixels = pydicom.dcmread(path).PixelData
    extent = series.frames[-1].extent
    assert extent.framing == "multipart"
    assert extent.length == len(frame_of(extent))
    joined = b"".join(frame_of(frame.extent) for frame in series.frames)
    assert pixels.startswith(joined)


def test_htj2k_that_it_does_not_know_is_recognised_all_the_same(orthanc, shared_data):
    """Orthanc 1.10 calls such frames uncompressed, and sends them as they are."""
    path = shared_data / "wg04/US1_JPH.dcm"
    series = opened(orthanc, path)
    assert series.frames[0].coding.codec == "openjph"
    assert frame_of(series.frames[0].extent) == stored_frame(path)


def test_compressed_frames_come_as_stored(orthanc, shared_data):
    path = shared_data / "wg04/CT1_JLSL.dcm"
    series = opened(orthanc, path)
    assert series.frames[0].coding.codec == "charls"
    assert frame_of(series.frames[0].extent) == stored_frame(path)


def test_a_study_as_a_whole(orthanc, shared_data):
    names = [f"volumes/mr-brain-19/brain_{number:03}.dcm" for number in (9, 2, 5, 7)]
    addresses = [store(orthanc, shared_data / name) for name in names]
    study = addresses[0].partition("/series/")[0]
    (series,) = asyncio.run(source_for(study).open(HttpxResources()))
    found = [frame.image.image_position_patient for frame in series.frames]
    assert len(found) == 4
    assert found == sorted(found, key=lambda corner: corner[2])
