"""Addresses and Accept headers of DICOMweb."""

from __future__ import annotations

import pytest

from firstlight.dicomweb.accept import FRAME_AS_STORED, METADATA, frame_accept
from firstlight.dicomweb.urls import alternate_frame_url, parse_place
from firstlight.errors import MalformedDescriptor, UnsupportedTransferSyntax

ROOT = "https://host:8042/a/dicom-web"


@pytest.mark.parametrize(
    ("path", "uids"),
    [
        ("/studies/1.2", ("1.2", "", "")),
        ("/studies/1.2/", ("1.2", "", "")),
        ("/studies/1.2/series/3.4", ("1.2", "3.4", "")),
        ("/studies/1.2/series/3.4/instances/5.6", ("1.2", "3.4", "5.6")),
    ],
)
def test_places(path, uids):
    place = parse_place(ROOT + path)
    assert (place.study, place.series, place.instance) == uids
    assert place.root == ROOT
    assert place.url() == ROOT + path.rstrip("/")


def test_frames_and_queries():
    place = parse_place(f"{ROOT}/studies/1.2/series/3.4/instances/5.6?token=a%20b")
    base = f"{ROOT}/studies/1.2/series/3.4/instances/5.6"
    assert place.frame_url(7) == f"{base}/frames/7?token=a%20b"
    assert place.frame_url(7, frames_path="lossy") == f"{base}/lossy/7?token=a%20b"
    series = place.with_series("9")
    assert series.url("metadata") == f"{ROOT}/studies/1.2/series/9/metadata?token=a%20b"
    assert series.with_instance("8").path == "studies/1.2/series/9/instances/8"


def test_a_root_that_has_studies_in_its_own_path():
    assert parse_place("https://h/studies/x/studies/1.2").root == "https://h/studies/x"


@pytest.mark.parametrize(
    "path", ["", "/studies", "/studies/a/series/1", "/studies/1.2/frames", "/studies/1.2/series"]
)
def test_what_names_no_place(path):
    with pytest.raises(MalformedDescriptor):
        parse_place(ROOT + path)


def test_accept_headers_need_no_preflight():
    values = [METADATA, FRAME_AS_STORED]
    for uid in ("1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5"):
        values += [frame_accept(uid), frame_accept(uid, multipart=False)]
    for value in values:
        assert len(value) <= 128
        assert not set(value) & set('"():<>?@[\\]{}\x7f')
    assert frame_accept("1.2.840.10008.1.2.4.202", multipart=False) == (
        "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.202"
    )
    with pytest.raises(UnsupportedTransferSyntax):
        frame_accept("1.2.840.10008.1.2.4.100")


@pytest.mark.parametrize(
    ("frames_path", "url_arguments", "path"),
    [
        ("/jls/", "", "/a/frames/b/instances/5/jls/7.mht?token=x"),
        ("jls", "", "/a/frames/b/instances/5/jls/7.mht?token=x"),
        ("/htj2k/small/", "", "/a/frames/b/instances/5/htj2k/small/7.mht?token=x"),
        ("", "fsiz=128,128", "/a/frames/b/instances/5/frames/7.mht?token=x&fsiz=128,128"),
        ("", "?fsiz=128,128", "/a/frames/b/instances/5/frames/7.mht?token=x&fsiz=128,128"),
        ("/jpip?target=", "fsiz=8,8", "/a/frames/b/instances/5/jpip?target=7.mht&token=x&fsiz=8,8"),
        ("", "", "/a/frames/b/instances/5/frames/7.mht?token=x"),
    ],
)
def test_alternate_frames(frames_path: str, url_arguments: str, path: str) -> None:
    url = "https://frames.example/a/frames/b/instances/5/frames/7.mht?token=x"
    assert alternate_frame_url(url, frames_path, url_arguments) == f"https://frames.example{path}"


def test_without_frames_in_it_a_path_stays() -> None:
    url = "https://frames.example/x.jph"
    assert alternate_frame_url(url, "/jls/", "q=1") == f"{url}?q=1"
