"""The page against servers that people run: nginx, and Orthanc behind it."""

from __future__ import annotations

import hashlib
import json

import httpx
import numpy as np
import pydicom
import pytest

from browser.conftest import Viewer
from support.nginx import running_nginx
from support.orthanc import running_orthanc
from support.patience import WAIT_S

pytestmark = pytest.mark.browser


def test_a_tree_on_plain_nginx(page, viewer_dist, stack, tmp_path):
    with running_nginx(tmp_path, viewer=viewer_dist, data=stack.folder) as address:
        viewer = Viewer(page, address)
        viewer.open("data/firstlight.json")
        viewer.wait_for("complete")
        for index, pixels in enumerate(stack.pixels):
            assert np.array_equal(viewer.stored_pixels(index), pixels), index


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as address:
        yield address


@pytest.mark.parametrize(
    "name",
    ["wg04/CT1_UNC.dcm", "wg04/CT1_J2KR.dcm", "wg04/CT1_JLSL.dcm", "wg04/CT1_JPH.dcm"],
)
def test_a_series_on_orthanc(page, viewer_dist, shared_data, orthanc, tmp_path, name):
    expected = json.loads((shared_data / "expected.json").read_text())[name]
    path = shared_data / name
    with httpx.Client(base_url=orthanc, timeout=WAIT_S) as server:
        # Two of the files are one instance in two syntaxes, of which it would keep the first.
        for held in server.get("/instances").json():
            server.delete(f"/instances/{held}").raise_for_status()
        server.post("/instances", content=path.read_bytes()).raise_for_status()
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    # The page's own origin, since Orthanc sends no CORS headers.
    proxy = f"location /dicom-web/ {{ proxy_pass {orthanc}; }}"
    place = (
        f"studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}"
    )
    with running_nginx(tmp_path, viewer=viewer_dist, data=tmp_path, more=proxy) as address:
        viewer = Viewer(page, address)
        viewer.open(f"dicomweb:dicom-web/{place}")
        viewer.wait_for("complete")
        assert viewer.heard("error") == []
        pixels = np.ascontiguousarray(viewer.stored_pixels(0)).tobytes()
        assert hashlib.sha256(pixels).hexdigest() == expected["decoded"]["frame1"]
