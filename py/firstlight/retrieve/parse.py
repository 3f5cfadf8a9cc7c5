"""Reads a configuration as somebody wrote it down: in JavaScript, JSON or Python, old or new."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from firstlight.errors import ConfigurationError
from firstlight.retrieve import stock
from firstlight.retrieve.configuration import (
    DEFAULT_TYPE,
    Nearby,
    OptionsOfType,
    RequestType,
    RetrieveConfiguration,
    RetrieveOptions,
    Stage,
)
from firstlight.retrieve.fields import (
    MAX_WHOLE,
    Field,
    as_object,
    flag,
    items,
    member,
    read,
    text,
    under,
    whole,
    wrong,
)
from firstlight.retrieve.lookup import Configurations
from firstlight.retrieve.parse_options import retrieve_options
from firstlight.retrieve.status import Quality

MAX_STAGES: Final = 64
MAX_POSITIONS: Final = 4096
MAX_NEARBY: Final = 64
MAX_JSON_BYTES: Final = 1_000_000
"""Bounds that no honest configuration reaches; a hostile one does not take the page with it."""

_REPLICATES: Final = (Quality.FAR_REPLICATE, Quality.ADJACENT_REPLICATE)


def parse_configurations(written: object) -> Configurations:
    """All configurations of what was written, in one form that answers for every series.

    ``written`` is the name of a stock configuration, JSON text, or an object: a configuration, or
    ``{"configurations": {key: configuration}}`` with the keys of `lookup`. A
    `RetrieveConfiguration` or `Configurations` made in Python is checked alike.

    Raises:
        ConfigurationError: with the path of the field that is wrong.
    """
    if isinstance(written, Configurations):
        found = Configurations()
        for key, one in written.items():
            found.add(key, checked(one, f"configurations[{key!r}]"))
        return found
    if isinstance(written, str):
        is_json = written.lstrip().startswith("{")
        written = _json(written) if is_json else stock.configuration(written.strip())
    if isinstance(written, Mapping) and "configurations" in written:
        return _several(written)
    found = Configurations()
    found.add(DEFAULT_TYPE, parse_configuration(written))
    return found


def parse_configuration(written: object, path: str = "") -> RetrieveConfiguration:
    """One configuration: the name of a stock one, or an object in any of the spellings.

    A `RetrieveConfiguration` made in Python is checked alike.

    Raises:
        ConfigurationError: with the path of the field that is wrong, below ``path``.
    """
    if isinstance(written, RetrieveConfiguration):
        return checked(written, path)
    if isinstance(written, str):
        return stock.configuration(written, path)
    found = read(written, path, _CONFIGURATION)
    itself = [name for name in ("adaptive", "create") if found.get(name)]
    excluded = itself[1:] + [name for name in ("stages", "volume_stages") if name in found]
    if itself and excluded:
        field = under(path, "volumeStages" if excluded[0] == "volume_stages" else excluded[0])
        raise ConfigurationError(f"{field}: not together with {itself[0]}, which decides itself")
    if not itself:
        found.setdefault("stages", stock.SINGLE_STAGES)
    return RetrieveConfiguration(**found)


def checked(configuration: RetrieveConfiguration, path: str = "") -> RetrieveConfiguration:
    """The same configuration, made in Python, with every value checked as if it were written.

    Raises:
        ConfigurationError: with the path of the field that is wrong, below ``path``.
    """
    if not configuration.stages and not configuration.adaptive and configuration.create is None:
        raise ConfigurationError(f"{under(path, 'stages')}: must have at least one")
    written: dict[str, object] = {
        "name": configuration.name or None,
        "stages": _plain_stages(configuration.stages, under(path, "stages")),
        "retrieve_options": {
            name: _plain_options(options)
            for name, options in configuration.retrieve_options.items()
        },
        "create": configuration.create,
        "adaptive": configuration.adaptive,
        "volume_stages": _plain_stages(configuration.volume_stages, under(path, "volumeStages")),
    }
    return parse_configuration(written, path)


# -- objects ------------------------------------------------------------------------------------


def _json(text_: str) -> object:
    if len(text_) > MAX_JSON_BYTES:
        raise ConfigurationError(f"configuration: larger than {MAX_JSON_BYTES} bytes")
    try:
        return json.loads(text_)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"configuration: not JSON, {error}") from error


def _several(written: Mapping[object, object]) -> Configurations:
    found = Configurations()
    entries = as_object(read(written, "", _SEVERAL).get("configurations"), "configurations")
    for key, value in entries.items():
        path = under("configurations", str(key))
        if not isinstance(key, str) or not key:
            raise ConfigurationError(f"{path}: a key must be a text")
        found.add(key, parse_configuration(value, path))
    return found


def _stages(value: object, path: str) -> tuple[Stage, ...]:
    if isinstance(value, str):
        return stock.stages(value, path)
    stages: tuple[Stage, ...] = items(value, path, _stage, most=MAX_STAGES)
    seen: dict[str, int] = {}
    for index, stage in enumerate(stages):
        first = seen.setdefault(stage.id, index)
        if first != index:
            text_ = f"{path}[{index}].id: {stage.id!r} is the id of {path}[{first}] already"
            raise ConfigurationError(text_)
    return stages


def _stage(value: object, path: str) -> Stage:
    found = read(value, path, _STAGE)
    if "id" not in found:
        raise ConfigurationError(f"{path}.id: is missing")
    return Stage(**found)


def _nearby(value: object, path: str) -> Nearby:
    found = read(value, path, _NEARBY)
    for name, usual in (("offset", "offset"), ("image_quality_status", "imageQualityStatus")):
        if name not in found:
            raise ConfigurationError(f"{path}.{usual}: is missing")
    if found["offset"] == 0:
        raise wrong(f"{path}.offset", "another frame's distance", 0)
    return Nearby(**found)


def _position(value: object, path: str) -> float:
    wanted = "a frame's index, -1 for the last, or a fraction from 0 to below 1"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(path, wanted, value)
    is_fraction = 0 <= value < 1
    whole_enough = is_fraction or (abs(value) < 2**53 and value == int(value))
    if not whole_enough:
        raise wrong(path, wanted, value)
    return value if is_fraction and value else int(value)


def _create(value: object, path: str) -> object:
    if not callable(value):
        raise wrong(path, "a function", value)
    return value


def _plain_stages(stages: Sequence[object], path: str) -> list[dict[str, Any]] | None:
    return [_plain_stage(stage, f"{path}[{n}]") for n, stage in enumerate(stages)] or None


def _plain_stage(stage: object, path: str) -> dict[str, Any]:
    if not isinstance(stage, Stage):
        raise wrong(path, "a Stage", stage)
    plain = {name: getattr(stage, name) for name in Stage.__slots__}
    plain["positions"] = list(stage.positions) or None
    nearby = [{name: getattr(n, name) for name in Nearby.__slots__} for n in stage.nearby_frames]
    return {**plain, "nearby_frames": nearby or None}


def _plain_options(options: OptionsOfType) -> dict[str, object]:
    if not isinstance(options, RetrieveOptions):
        return {key: _plain_options(one) for key, one in options.items()}
    values = {name: getattr(options, name) for name in RetrieveOptions.__slots__}
    return {name: None if value == "" else value for name, value in values.items()}


# -- what each object may have --------------------------------------------------------------------

_SEVERAL: Final = (Field("configurations", ("configurations",), as_object),)

_CONFIGURATION: Final = (
    Field("name", ("name",), text),
    Field("stages", ("stages",), _stages),
    Field("volume_stages", ("volumeStages",), _stages),
    Field("retrieve_options", ("retrieveOptions",), retrieve_options),
    Field("adaptive", ("adaptive",), flag),
    Field("create", ("create",), _create),
)

_STAGE: Final = (
    Field("id", ("id",), text),
    Field("positions", ("positions",), lambda v, p: items(v, p, _position, most=MAX_POSITIONS)),
    Field("decimate", ("decimate",), whole(1)),
    Field("offset", ("offset",), whole(0)),
    Field("retrieve_type", ("retrieveType",), text),
    Field("request_type", ("requestType",), member(RequestType, numbers=False)),
    Field("priority", ("priority",), whole(-MAX_WHOLE)),
    Field("nearby_frames", ("nearbyFrames",), lambda v, p: items(v, p, _nearby, most=MAX_NEARBY)),
)

_NEARBY: Final = (
    Field("offset", ("offset",), whole(-MAX_WHOLE)),
    Field("image_quality_status", ("imageQualityStatus", "status"), member(Quality, _REPLICATES)),
)
