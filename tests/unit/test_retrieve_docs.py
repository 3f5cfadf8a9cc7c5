"""What the documentation says about configurations can be used as it stands."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from firstlight.retrieve import stock
from firstlight.retrieve.configuration import RetrieveConfiguration, RetrieveOptions
from firstlight.retrieve.parse import parse_configuration, parse_configurations
from firstlight.retrieve.parse_options import OPTION_FIELDS

TEXT = (Path(__file__).parents[2] / "docs/configuration.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def section(title: str) -> str:
    return re.split(r"^#+ ", TEXT.split(f" {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def first_column(title: str) -> list[str]:
    rows = re.findall(r"^\| (`[^|]*) \|", section(title), re.M)
    return [name for row in rows for name in re.findall(r"`([^`]*)`", row)]


@pytest.mark.parametrize("text", blocks("json"), ids=range(len(blocks("json"))))
def test_json_examples_are_configurations(text):
    assert dict(parse_configurations(text).items())
    assert parse_configurations(json.loads(text)).items()


def test_the_python_examples_run():
    names: dict = {}
    for text in blocks("python"):
        exec(text, names)
    configuration = names["configuration"]
    assert isinstance(configuration, RetrieveConfiguration)
    assert parse_configuration(configuration) == configuration
    asked: list = []

    class Listener:
        def request(self, frame_index, options):
            asked.append(frame_index)

        def done(self):
            asked.append("done")

    configuration.create(configuration).start(range(3), Listener())
    assert asked == [2, 1, 0, "done"]


def test_every_stock_configuration_is_listed():
    assert sorted(first_column("Stock configurations")) == sorted(stock.NAMES)


def test_every_option_is_listed():
    usual = {field.spellings[0] for field in OPTION_FIELDS if not field.name.startswith("older_")}
    assert set(first_column("Options")) == usual
    own = {field.name for field in OPTION_FIELDS if not field.name.startswith("older_")}
    assert own == {field.name for field in fields(RetrieveOptions)}


def test_the_defaults_that_are_listed_are_the_defaults():
    default = RetrieveOptions()
    for name, listed in (
        ("minChunkSize", default.min_chunk_size_bytes),
        ("chunkSize", default.chunk_size_bytes),
        ("msBetweenDecode", int(default.decode_interval_ms)),
        ("imageQualityStatus", f"`{default.image_quality_status.name}`"),
    ):
        assert re.search(rf"^\| `{name}` \| {listed} \|", section("Options"), re.M), name
