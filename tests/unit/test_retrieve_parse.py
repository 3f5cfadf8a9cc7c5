"""Both spellings, JSON and Python mean the same; what is wrong is named with its path."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from firstlight.errors import ConfigurationError
from firstlight.retrieve import stock
from firstlight.retrieve.configuration import (
    Nearby,
    RequestType,
    RetrieveConfiguration,
    RetrieveOptions,
    Stage,
)
from firstlight.retrieve.lookup import Configurations
from firstlight.retrieve.parse import parse_configuration, parse_configurations
from firstlight.retrieve.parse_options import parse_options
from firstlight.retrieve.status import Quality

EVERYTHING = RetrieveConfiguration(
    name="everything",
    stages=(
        Stage(
            "ends",
            positions=(0.5, 0, -1),
            retrieve_type="fast",
            request_type=RequestType.PREFETCH,
            priority=7,
            nearby_frames=(
                Nearby(-1, Quality.ADJACENT_REPLICATE),
                Nearby(2, Quality.FAR_REPLICATE),
            ),
        ),
        Stage("third", decimate=3, offset=2, retrieve_type="final", priority=8),
        Stage("rest"),
    ),
    retrieve_options={
        "fast": {
            "default": RetrieveOptions(
                url_arguments="accept=image/jls",
                frames_path="/jlsThumbnail/",
                image_quality_status=Quality.SUBRESOLUTION,
            ),
            "1.2.840.10008.1.2.4.96": RetrieveOptions(
                range_index=0,
                chunk_size_bytes=64_000,
                decode_level=3,
                streaming=True,
                min_chunk_size_bytes=10_000,
                decode_interval_ms=40.0,
                image_quality_status=Quality.LOSSY,
            ),
        },
        "final": RetrieveOptions(range_index=-1, chunk_size_bytes=64_000),
    },
)

TODAY = {
    "name": "everything",
    "stages": [
        {
            "id": "ends",
            "positions": [0.5, 0, -1],
            "retrieveType": "fast",
            "requestType": "prefetch",
            "priority": 7,
            "nearbyFrames": [
                {"offset": -1, "imageQualityStatus": 3},
                {"offset": 2, "imageQualityStatus": "FAR_REPLICATE"},
            ],
        },
        {"id": "third", "decimate": 3, "offset": 2, "retrieveType": "final", "priority": 8},
        {"id": "rest"},
    ],
    "retrieveOptions": {
        "fast": {
            "default": {
                "urlArguments": "?accept=image/jls",
                "framesPath": "/jlsThumbnail/",
                "imageQualityStatus": 6,
            },
            "1.2.840.10008.1.2.4.96": {
                "rangeIndex": 0,
                "chunkSize": 64000,
                "decodeLevel": 3,
                "streaming": True,
                "minChunkSize": 10000,
                "msBetweenDecode": 40,
                "imageQualityStatus": "LOSSY",
            },
        },
        "final": {"default": {"rangeIndex": -1, "chunkSize": 64000}},
    },
}

OLDER = json.loads(json.dumps(TODAY))
OLDER["retrieveOptions"] = {
    "fast": {
        "default": {
            "urlArguments": "accept=image/jls",
            "framesPath": "/jlsThumbnail/",
            "status": 6,
        },
        "3.2.840.10008.1.2.4.96": {
            "range": 0,
            "initialBytes": 64000,
            "decodeLevel": 3,
            "streamingDecode": True,
            "minChunkSize": 10000,
            "msBetweenDecode": 40,
            "isLossy": True,
        },
    },
    "final": {"default": {"range": 1, "initialBytes": 64000}},
}


def snake(value):
    """The same in the names of the dataclasses, which Python users may write as dictionaries."""
    names = {
        "retrieveType": "retrieve_type",
        "requestType": "request_type",
        "nearbyFrames": "nearby_frames",
        "imageQualityStatus": "image_quality_status",
        "retrieveOptions": "retrieve_options",
        "urlArguments": "url_arguments",
        "framesPath": "frames_path",
        "rangeIndex": "range_index",
        "chunkSize": "chunk_size_bytes",
        "minChunkSize": "min_chunk_size_bytes",
        "decodeLevel": "decode_level",
        "msBetweenDecode": "decode_interval_ms",
    }
    if isinstance(value, dict):
        return {names.get(key, key): snake(item) for key, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "written",
    [TODAY, OLDER, snake(TODAY), EVERYTHING],
    ids=["today", "older", "snake case", "dataclasses"],
)
def test_every_spelling_means_the_same(written):
    assert parse_configuration(written) == EVERYTHING


@pytest.mark.parametrize("written", [TODAY, OLDER])
def test_json_text_means_the_same(written):
    found = parse_configurations(json.dumps(written, indent=2))
    assert found.find("default") == EVERYTHING


def test_every_option_has_a_spelling_and_a_default():
    written = {
        "urlArguments": "a=1",
        "framesPath": "/x/",
        "decodeLevel": 1,
        "imageQualityStatus": 7,
        "streaming": True,
        "minChunkSize": 1,
        "rangeIndex": 2,
        "chunkSize": 3,
        "initialChunkSize": 4,
        "msBetweenDecode": 5,
    }
    found = parse_options(written, "o")
    default = RetrieveOptions()
    assert parse_options({}, "o") == default
    for field in fields(RetrieveOptions):
        assert getattr(found, field.name) != getattr(default, field.name), field.name


def test_a_null_is_as_good_as_nothing():
    written = {"stages": [{"id": "a", "positions": None}], "retrieveOptions": None}
    assert parse_configuration(written) == RetrieveConfiguration(stages=(Stage("a"),))


def test_options_alone_get_the_single_stage():
    found = parse_configuration({"retrieveOptions": {"default": {"framesPath": "/jls/"}}})
    assert [stage.id for stage in found.stages] == ["initialImages"]
    assert found.options("single").frames_path == "/jls/"


def test_stages_may_be_those_of_a_stock_configuration():
    options = {"multipleFast": {"framesPath": "/jlsThumbnail/", "imageQualityStatus": 6}}
    found = parse_configuration({"stages": "interleaved", "retrieveOptions": options})
    assert found.stages == stock.configuration("interleaved").stages
    assert found.options("multipleFast").frames_path == "/jlsThumbnail/"


@pytest.mark.parametrize(
    ("older", "index"),
    [
        ({"range": 0}, 0),
        ({"range": 1}, -1),
        ({"range": 1, "totalRangesToFetch": 3}, 1),
        ({"range": 2, "totalRangesToFetch": 3}, -1),
    ],
)
def test_the_last_of_the_older_ranges_is_the_rest(older, index):
    assert parse_options(older, "o").range_index == index


@pytest.mark.parametrize(
    ("options", "prefix_bytes"),
    [
        ({}, None),
        ({"rangeIndex": -1}, None),
        ({"rangeIndex": 0}, 65_536),
        ({"rangeIndex": 2, "chunkSize": 10}, 30),
        ({"rangeIndex": 0, "chunkSize": 10, "initialChunkSize": 7}, 7),
        ({"rangeIndex": 2, "chunkSize": 10, "initialChunkSize": 7}, 27),
    ],
)
def test_how_many_bytes_a_range_asks_for(options, prefix_bytes):
    assert parse_options(options, "o").prefix_bytes == prefix_bytes


HTJ2K = "1.2.840.10008.1.2.4.202"
JPEG_LS = "1.2.840.10008.1.2.4.80"


@pytest.mark.parametrize(
    ("options", "retrieve_type", "uid", "path"),
    [
        ({"a": {"framesPath": "/a/"}}, "a", "", "/a/"),
        ({"a": {"framesPath": "/a/"}}, "b", "", ""),
        ({"a": {"framesPath": "/a/"}, "default": {"framesPath": "/d/"}}, "b", "", "/d/"),
        (
            {"a": {"default": {"framesPath": "/d/"}, JPEG_LS: {"framesPath": "/l/"}}},
            "a",
            JPEG_LS,
            "/l/",
        ),
        (
            {"a": {"default": {"framesPath": "/d/"}, JPEG_LS: {"framesPath": "/l/"}}},
            "a",
            HTJ2K,
            "/d/",
        ),
        ({"a": {"3.2.840.10008.1.2.4.96": {"framesPath": "/h/"}}}, "a", HTJ2K, "/h/"),
        (
            {"a": {JPEG_LS: {"framesPath": "/l/"}}, "default": {"framesPath": "/d/"}},
            "a",
            HTJ2K,
            "/d/",
        ),
    ],
)
def test_options_are_found_by_type_then_transfer_syntax(options, retrieve_type, uid, path):
    found = parse_configuration({"retrieveOptions": options})
    assert found.options(retrieve_type, uid).frames_path == path


WRONG = [
    (7, "configuration: must be an object, not 7"),
    ({"stages": []}, "stages: must have from 1 to 64 items, not 0"),
    ({"stages": {}}, "stages: must be a list, not {}"),
    ({"stages": "zigzag"}, "stages: there are no 'zigzag', only single, sequential, interleaved"),
    ({"stages": [5]}, "stages[0]: must be an object, not 5"),
    ({"stages": [{}]}, "stages[0].id: is missing"),
    ({"stages": [{"id": ""}]}, "stages[0].id: must be a text, not ''"),
    ({"stages": [{"id": "a"}, {"id": "a"}]}, "stages[1].id: 'a' is the id of stages[0] already"),
    (
        {"stages": [{"id": "a"}, {"id": "b"}, {"id": "c", "decimate": 0}]},
        "stages[2].decimate: must be a whole number of at least 1, not 0",
    ),
    ({"stages": [{"id": "a", "decimate": True}]}, "stages[0].decimate: must be a whole number"),
    ({"stages": [{"id": "a", "decimate": 1.5}]}, "stages[0].decimate: must be a whole number"),
    ({"stages": [{"id": "a", "offset": -1}]}, "stages[0].offset: must be a whole number of at l"),
    ({"stages": [{"id": "a", "positions": 3}]}, "stages[0].positions: must be a list, not 3"),
    ({"stages": [{"id": "a", "positions": []}]}, "stages[0].positions: must have from 1 to"),
    ({"stages": [{"id": "a", "positions": [0, -0.5]}]}, "stages[0].positions[1]: must be a frame"),
    ({"stages": [{"id": "a", "positions": [1.5]}]}, "stages[0].positions[0]: must be a frame's"),
    ({"stages": [{"id": "a", "positions": ["1"]}]}, "stages[0].positions[0]: must be a frame's"),
    ({"stages": [{"id": "a", "retrieveType": 1}]}, "stages[0].retrieveType: must be a text, not 1"),
    (
        {"stages": [{"id": "a", "requestType": "soon"}]},
        "stages[0].requestType: must be one of interaction, thumbnail, prefetch, compute, not",
    ),
    ({"stages": [{"id": "a", "priority": "5"}]}, "stages[0].priority: must be a whole number"),
    ({"stages": [{"id": "a", "nearbyFrames": [{}]}]}, "stages[0].nearbyFrames[0].offset: is miss"),
    (
        {"stages": [{"id": "a", "nearbyFrames": [{"offset": 1}]}]},
        "stages[0].nearbyFrames[0].imageQualityStatus: is missing",
    ),
    (
        {"stages": [{"id": "a", "nearbyFrames": [{"offset": 0, "imageQualityStatus": 3}]}]},
        "stages[0].nearbyFrames[0].offset: must be another frame's distance, not 0",
    ),
    (
        {"stages": [{"id": "a", "nearbyFrames": [{"offset": 1, "imageQualityStatus": 8}]}]},
        "stages[0].nearbyFrames[0].imageQualityStatus: must be one of FAR_REPLICATE (1), ADJ",
    ),
    (
        {"stages": [{"id": "a", "decimat": 4}]},
        "stages[0].decimat: not known here; there are id, positions, decimate, offset,",
    ),
    ({"stage": []}, "stage: not known here; there are name, stages, volumeStages,"),
    (
        {"stages": [{"id": "a", "retrieveType": "x", "retrieve_type": "y"}]},
        "stages[0].retrieve_type: the same as retrieveType, give one of them",
    ),
    ({"volumeStages": [{"id": "a", "decimate": 0}]}, "volumeStages[0].decimate: must be"),
    ({"adaptive": 1}, "adaptive: must be true or false, not 1"),
    ({"adaptive": True, "stages": "single"}, "stages: not together with adaptive, which decides"),
    ({"create": "function"}, "create: must be a function, not 'function'"),
    ({"create": print, "volumeStages": "single"}, "volumeStages: not together with create, which"),
    ({"create": print, "adaptive": True}, "create: not together with adaptive, which decides"),
    ({"retrieveOptions": []}, "retrieveOptions: must be an object, not []"),
    ({"retrieveOptions": {"a": 1}}, "retrieveOptions.a: must be an object, not 1"),
    (
        {"retrieveOptions": {JPEG_LS: {}}},
        f"retrieveOptions['{JPEG_LS}']: must be a retrieve type; a transfer syntax goes inside",
    ),
    (
        {"retrieveOptions": {"a": {"default": {}, "chunkSize": 5}}},
        "retrieveOptions.a.chunkSize: must be a Transfer Syntax UID, or 'default'",
    ),
    (
        {"retrieveOptions": {"a": {JPEG_LS: {"chunkSize": 0}}}},
        f"retrieveOptions.a['{JPEG_LS}'].chunkSize: must be a whole number of at least 1, not 0",
    ),
    (
        {"retrieveOptions": {"a": {"chunkSize": "function"}}},
        "retrieveOptions.a.chunkSize: must be a whole number of at least 1, not 'function'",
    ),
    (
        {"retrieveOptions": {"a": {"chunkSize": 5, "initialBytes": 5}}},
        "retrieveOptions.a.initialBytes: the same as chunkSize, give one of them",
    ),
    (
        {"retrieveOptions": {"a": {"rangeIndex": 0, "range": 0}}},
        "retrieveOptions.a.range: the same as rangeIndex, give one",
    ),
    (
        {"retrieveOptions": {"a": {"isLossy": True, "imageQualityStatus": 8}}},
        "retrieveOptions.a.isLossy: contradicts imageQualityStatus",
    ),
    ({"retrieveOptions": {"a": {"rangeIndex": -2}}}, "retrieveOptions.a.rangeIndex: must be a wh"),
    (
        {"retrieveOptions": {"a": {"decodeLevel": 33}}},
        "retrieveOptions.a.decodeLevel: must be a whole number from 0 to 32, not 33",
    ),
    (
        {"retrieveOptions": {"a": {"imageQualityStatus": 5}}},
        "retrieveOptions.a.imageQualityStatus: must be one of FAR_REPLICATE (1), ADJACENT_REPL",
    ),
    ({"retrieveOptions": {"a": {"streaming": 1}}}, "retrieveOptions.a.streaming: must be true or"),
    (
        {"retrieveOptions": {"a": {"msBetweenDecode": -1}}},
        "retrieveOptions.a.msBetweenDecode: must be a number of at least 0, not -1",
    ),
    (
        {"retrieveOptions": {"a": {"framesPath": "jls"}}},
        "retrieveOptions.a.framesPath: must be a piece of a path, as /jls/, not 'jls'",
    ),
    (
        {"retrieveOptions": {"a": {"framesPath": "/../../x/"}}},
        "retrieveOptions.a.framesPath: must be a piece of a path",
    ),
    (
        {"retrieveOptions": {"a": {"urlArguments": "a b"}}},
        "retrieveOptions.a.urlArguments: must be arguments as in a URL's query, not 'a b'",
    ),
]


@pytest.mark.parametrize(("written", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_what_is_wrong_is_named_with_its_path(written, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(written)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("zigzag", "configuration: there is no 'zigzag', there are adaptive, single, sequential,"),
        ("{", "configuration: not JSON, "),
        ('{"stages": [{"id": "a", "decimate": NaN}]}', "stages[0].decimate: must be a whole num"),
        ('{"stages": [{"id": "a", "decimate": 1e999}]}', "stages[0].decimate: must be a whole"),
        ('{"a":' * 200_000, "configuration: not JSON, "),
        ('{"name": "' + "x" * 1_000_000, "configuration: larger than 1000000 bytes"),
        ({"configurations": []}, "configurations: must be an object, not []"),
        ({"configurations": {"stack": "zigzag"}}, "configurations.stack: there is no 'zigzag'"),
        (
            {"configurations": {"1.2.3": {"stages": [{"id": "a", "offset": -3}]}}},
            "configurations['1.2.3'].stages[0].offset: must be a whole number of at least 0",
        ),
        ({"configurations": {}, "stages": "single"}, "stages: not known here; there are config"),
        (RetrieveConfiguration(), "stages: must have at least one"),
        (
            RetrieveConfiguration(stages=(Stage("a"), Stage("b", decimate=0))),
            "stages[1].decimate: must be a whole number of at least 1, not 0",
        ),
        (RetrieveConfiguration(stages=("single",)), "stages[0]: must be a Stage, not 'single'"),
        (
            RetrieveConfiguration(
                stages=(Stage("a"),),
                retrieve_options={"a": {JPEG_LS: RetrieveOptions(chunk_size_bytes=0)}},
            ),
            f"retrieve_options.a['{JPEG_LS}'].chunk_size_bytes: must be a whole number of at leas",
        ),
        (
            Configurations({"stack": RetrieveConfiguration(stages=(Stage("a", offset=-1),))}),
            "configurations['stack'].stages[0].offset: must be a whole number",
        ),
    ],
)
def test_text_and_python_are_checked_alike(written, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_configurations(written)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("name", stock.NAMES)
def test_stock_configurations_pass_their_own_checks(name):
    found = parse_configurations(name).find("default")
    assert found is not None
    assert found == parse_configuration(found)
    assert found.name == name


def test_an_own_retriever_is_kept():
    def create(configuration):
        raise NotImplementedError

    found = parse_configuration({"create": create, "retrieveOptions": {"a": {"chunkSize": 5}}})
    assert found.create is create
    assert found.stages == ()
    assert found.options("a").chunk_size_bytes == 5
