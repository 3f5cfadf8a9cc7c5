"""What the page writes down of a configuration, read by Python; and which picture it keeps."""

from __future__ import annotations

import json

import pytest

from firstlight.adapters.page_retriever import PageRetrievers
from firstlight.retrieve import stock
from firstlight.retrieve.parse import parse_configuration, parse_configurations
from firstlight.retrieve.status import Quality, replaces
from support.web_modules import needs_node
from support.web_modules import run as run_in_node

pytestmark = [pytest.mark.node, needs_node]


def run(module: str, body: str):
    """As in a page that lies somewhere."""
    return run_in_node(
        module, body, before="globalThis.document = { baseURI: 'https://host/page/' };"
    )


def write(expression: str) -> dict:
    """`writeConfiguration` of a JavaScript expression; of the factories only their number."""
    body = f"""
        const {{ factories, ...rest }} = web.writeConfiguration(({expression}));
        return {{ ...rest, factories: factories.length }};"""
    return run("engine/configuration.js", body)


INTERLEAVED = """{
    stages: [
        { id: 'ends', positions: [0.5, 0, -1], requestType: 'thumbnail', priority: 5,
          nearbyFrames: [{ offset: -1, imageQualityStatus: 3 }] },
        { id: 'all', decimate: 1, offset: 0, retrieveType: 'multipleFinal' },
    ],
    retrieveOptions: {
        multipleFinal: { rangeIndex: undefined, chunkSize: 64000, streaming: true },
    },
}"""


def test_an_object_is_read_as_the_json_of_it():
    written = write(INTERLEAVED)
    assert (written["factories"], written["isUsual"], written["error"]) == (0, False, None)
    found = parse_configurations(json.loads(written["json"])).find("default")
    again = parse_configurations(json.loads(write(f"JSON.stringify({INTERLEAVED})")["json"]))
    assert found == again.find("default")
    assert [stage.id for stage in found.stages] == ["ends", "all"]
    assert found.stages[0].positions == (0.5, 0, -1)
    assert found.options("multipleFinal").streaming


@pytest.mark.parametrize("name", stock.NAMES)
def test_a_name_stays_a_name(name):
    written = write(f"' {name}\\n'")
    assert json.loads(written["json"]) == name
    assert written["isUsual"] == (name == "adaptive")


@pytest.mark.parametrize(
    ("expression", "address"),
    [
        ("'mine.json'", "https://host/page/mine.json"),
        ("'/a/mine.json'", "https://host/a/mine.json"),
        ("'https://other/mine?x=1'", "https://other/mine?x=1"),
    ],
)
def test_an_address_is_made_absolute(expression, address):
    assert json.loads(write(expression)["json"]) == address


@pytest.mark.parametrize("nothing", ["''", "null", "undefined"])
def test_nothing_is_nothing(nothing):
    written = write(nothing)
    assert not json.loads(written["json"])
    assert written["isUsual"]


def test_functions_are_numbered_where_they_may_be():
    written = write("""{
        configurations: {
            stack: { create() {}, name: 'a' },
            volume: { create: () => {}, name: 'b' },
            default: { retrieveOptions: { default: { chunkSize: () => 5 } } },
        },
    }""")
    assert written["factories"] == 2
    read = PageRetrievers(None).read(written["json"])["configurations"]
    assert callable(parse_configuration(read["stack"]).create)
    assert callable(parse_configuration(read["volume"]).create)
    assert read["default"]["retrieveOptions"]["default"]["chunkSize"] == "function"


def test_what_json_cannot_say_is_an_error_and_counts_as_nothing():
    written = write("(() => { const a = {}; a.a = a; return a; })()")
    assert written["json"] == "null"
    assert written["error"]["type"] == "ConfigurationError"
    assert written["error"]["message"].startswith("configuration: ")


def conversation(create: str, frames: int, records: list[dict]) -> dict:
    """What a retriever of the page says, and what it was told."""
    body = f"""
        const told = [];
        globalThis.told = told;
        const {{ factories }} = web.writeConfiguration({{ mark: 7, create: {create} }});
        const posted = [];
        const retrievers = new web.Retrievers(factories, (message) => posted.push(message));
        retrievers.onRecord({{ retriever: 3, step: 'start', function: 0, frameCount: {frames} }});
        for (const record of {json.dumps(records)}) {{
            await new Promise((resolve) => setImmediate(resolve));
            retrievers.onRecord(record);
        }}
        await new Promise((resolve) => setImmediate(resolve));
        return {{ told, posted }};"""
    return run("engine/configuration.js", body)


def test_a_retriever_asks_and_is_told():
    found = conversation(
        """function (configuration) {
            told.push(['made', configuration.mark, this.mark]);
            return {
                async loadImages(frames, listener) {
                    told.push(['frames', frames]);
                    told.push(['first', await listener.request(2, { rangeIndex: 0 })]);
                    told.push(['then', await listener.request(2)]);
                    listener.done();
                },
                retrieved: (...facts) => told.push(['retrieved', ...facts]),
                failed: (index, error) => told.push(['failed', index, error.message]),
            };
        }""",
        3,
        [
            {"retriever": 3, "step": "retrieved", "frameIndex": 2, "quality": "SUBRESOLUTION"},
            {"retriever": 2, "step": "retrieved", "frameIndex": 2, "quality": "LOSSY"},
            {"retriever": 3, "step": "failed", "frameIndex": 2, "error": {"message": "gone"}},
        ],
    )
    assert found["told"] == [
        ["made", 7, 7],
        ["frames", [0, 1, 2]],
        ["retrieved", 2, "SUBRESOLUTION"],
        ["first", {"quality": "SUBRESOLUTION", "error": None}],
        ["failed", 2, "gone"],
        ["then", {"quality": None, "error": {"message": "gone"}}],
    ]
    message = {"kind": "retriever", "retriever": 3}
    assert found["posted"] == [
        {**message, "step": "request", "frameIndex": 2, "details": '{"rangeIndex":0}'},
        {**message, "step": "request", "frameIndex": 2, "details": "{}"},
        {**message, "step": "done", "frameIndex": -1, "details": "null"},
    ]


@pytest.mark.parametrize(
    ("create", "text"),
    [
        ("() => { throw new Error('one'); }", "one"),
        ("() => null", "Cannot read properties of null (reading 'loadImages')"),
        ("() => ({ loadImages() { throw new Error('two'); } })", "two"),
        ("() => ({ loadImages: async () => { throw new Error('three'); } })", "three"),
    ],
)
def test_a_retriever_that_crashes_says_so(create, text):
    [message] = conversation(create, 3, [])["posted"]
    assert message["step"] == "crashed"
    assert json.loads(message["details"]) == text


PICTURES = [
    (quality, side)
    for quality in (Quality.SUBRESOLUTION, Quality.LOSSY, Quality.FULL_RESOLUTION)
    for side in (64, 128)
]


def test_the_page_keeps_the_pictures_that_python_would():
    put = """
        const picture = ([quality, side]) => ({
            data: new Uint8Array(1), rows: side, columns: side, samplesPerPixel: 1,
            resolutionLevel: 0, decompositionLevels: 3, quality,
        });"""
    names = json.dumps([(quality.name, side) for quality, side in PICTURES])
    body = f"""{put}
        const pictures = {names};
        return pictures.map((held) => pictures.map((next) => {{
            const store = new web.FrameStore();
            store.put(0, picture(held));
            return store.put(0, picture(next));
        }}));"""
    kept = run("engine/frame-store.js", body)
    assert kept == [
        [replaces(new, size * size, held, side * side) for new, size in PICTURES]
        for held, side in PICTURES
    ]


def test_without_a_quality_the_finer_level_is_the_better_picture():
    body = """
        const store = new web.FrameStore();
        const put = (resolutionLevel) => store.put(0, {
            data: new Uint8Array(1), rows: 8 << resolutionLevel, columns: 8 << resolutionLevel,
            samplesPerPixel: 1, resolutionLevel, decompositionLevels: 3 });
        return [put(1), put(0), put(2), put(3), put(2), store.get(0).resolutionLevel];"""
    assert run("engine/frame-store.js", body) == [True, False, True, True, False, 3]
