"""Configurations that have a name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from firstlight.dicom import uids
from firstlight.errors import ConfigurationError
from firstlight.retrieve.configuration import (
    DEFAULT_TYPE,
    FINAL_RANGE,
    Nearby,
    OptionsOfType,
    RequestType,
    RetrieveConfiguration,
    RetrieveOptions,
    Stage,
)
from firstlight.retrieve.status import Quality

ADAPTIVE: Final = "adaptive"

VOLUME_CHUNK_BYTES: Final = 65_536
"""Of a slice of 512 x 512, a quarter of its bytes: half its width and height."""

STACK_CHUNK_BYTES: Final = 131_072
"""Of a radiograph, 380 pixels of 3036: a picture that fills a thumbnail strip, in 35 ms at 4g."""

SINGLE_STAGES: Final = (Stage("initialImages", retrieve_type="single"),)

ERROR_STAGE: Final = Stage("errorRetrieve")
"""Whatever has no full picture yet, from where its frames really are."""

_FINAL_STAGE: Final = Stage("finalSequential", retrieve_type="singleFinal")
_SEQUENTIAL: Final = (Stage("lossySequential", retrieve_type="singleFast"), _FINAL_STAGE)

_NEARBY: Final = (
    Nearby(-1, Quality.ADJACENT_REPLICATE),
    Nearby(1, Quality.ADJACENT_REPLICATE),
    Nearby(2, Quality.FAR_REPLICATE),
)
"""Fills the gaps between every fourth frame."""


def _quarter(
    name: str, offset: int, kind: str, priority: int, nearby: tuple[Nearby, ...] = ()
) -> Stage:
    """Every fourth frame."""
    return Stage(
        name,
        decimate=4,
        offset=offset,
        retrieve_type=kind,
        request_type=RequestType.THUMBNAIL,
        priority=priority,
        nearby_frames=nearby,
    )


_INTERLEAVED: Final = (
    Stage(
        "initialImages",
        positions=(0.5, 0, -1),
        request_type=RequestType.THUMBNAIL,
        priority=5,
        nearby_frames=_NEARBY,
    ),
    _quarter("quarterThumb", 3, "multipleFast", 6, _NEARBY),
    _quarter("halfThumb", 1, "multipleFast", 7, _NEARBY),
    _quarter("quarterFull", 2, "multipleFinal", 8),
    _quarter("halfFull", 0, "multipleFinal", 9),
    _quarter("threeQuarterFull", 1, "multipleFinal", 10),
    _quarter("finalFull", 3, "multipleFinal", 11),
    ERROR_STAGE,
)

_STAGES: Final = {
    "single": SINGLE_STAGES,
    "sequential": _SEQUENTIAL,
    "interleaved": _INTERLEAVED,
}

_WITH_LEVELS: Final = (uids.HTJ2K_PRIVATE, uids.JPEG_2000_LOSSLESS, uids.JPEG_2000)
"""Transfer syntaxes of which a prefix is a picture; the first stands for all of HTJ2K."""

_REST: Final = RetrieveOptions(range_index=FINAL_RANGE)


def _prefix(chunk_bytes: int) -> OptionsOfType:
    """The beginning of a frame where that is a picture, else all of it."""
    part = RetrieveOptions(range_index=0, chunk_size_bytes=chunk_bytes)
    return {DEFAULT_TYPE: RetrieveOptions(), **dict.fromkeys(_WITH_LEVELS, part)}


def _elsewhere(
    name: str, fast: RetrieveOptions, final: RetrieveOptions | None = None
) -> RetrieveConfiguration:
    """A smaller or lossy representation of every frame first, then the frames themselves."""
    options: dict[str, OptionsOfType] = {"singleFast": fast, "multipleFast": fast}
    if final is not None:
        # Not as `default`: the error stage must not end where the others failed.
        options |= {"singleFinal": final, "multipleFinal": final, "initial": final}
    first, *others = _INTERLEAVED
    in_volume = (first if final is None else replace(first, retrieve_type="initial"), *others)
    return RetrieveConfiguration(
        name, (*_SEQUENTIAL, ERROR_STAGE), options, volume_stages=in_volume
    )


_STOCK: Final = {
    one.name: one
    for one in (
        RetrieveConfiguration(ADAPTIVE, adaptive=True),
        RetrieveConfiguration("single", SINGLE_STAGES, {"single": RetrieveOptions(streaming=True)}),
        RetrieveConfiguration(
            "sequential",
            (*_SEQUENTIAL, ERROR_STAGE),
            {"singleFast": _prefix(VOLUME_CHUNK_BYTES), "singleFinal": _REST},
        ),
        RetrieveConfiguration(
            "interleaved",
            _INTERLEAVED,
            {"multipleFast": _prefix(VOLUME_CHUNK_BYTES), "multipleFinal": _REST},
        ),
        RetrieveConfiguration(
            "htj2k-range",
            (*_SEQUENTIAL, ERROR_STAGE),
            {
                "singleFast": _prefix(STACK_CHUNK_BYTES),
                "singleFinal": _REST,
                "multipleFast": _prefix(VOLUME_CHUNK_BYTES),
                "multipleFinal": _REST,
            },
            volume_stages=_INTERLEAVED,
        ),
        _elsewhere(
            "jls-thumbnail",
            RetrieveOptions(
                frames_path="/jlsThumbnail/", image_quality_status=Quality.SUBRESOLUTION
            ),
            RetrieveOptions(frames_path="/jls/"),
        ),
        _elsewhere(
            "lossy",
            RetrieveOptions(
                frames_path="/lossy/", image_quality_status=Quality.LOSSY, streaming=True
            ),
        ),
    )
}

NAMES: Final = tuple(_STOCK)


def configuration(name: str, path: str = "") -> RetrieveConfiguration:
    """A stock configuration.

    Raises:
        ConfigurationError: there is none of that name.
    """
    found = _STOCK.get(name)
    if found is None:
        text = f"{path or 'configuration'}: there is no {name!r}, there are {', '.join(NAMES)}"
        raise ConfigurationError(text)
    return found


def stages(name: str, path: str) -> tuple[Stage, ...]:
    """The stages of a stock configuration, to be used with other options.

    Raises:
        ConfigurationError: there are none of that name.
    """
    found = _STAGES.get(name)
    if found is None:
        raise ConfigurationError(f"{path}: there are no {name!r}, only {', '.join(_STAGES)}")
    return found
