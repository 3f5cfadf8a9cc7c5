"""What a user may write down about retrieval, as plain values; `README.md` has both spellings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol

from firstlight.dicom import uids
from firstlight.retrieve.status import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firstlight.errors import FirstlightError

ALL_FRAMES: Final[tuple[float, ...]] = ()
"""As `Stage.positions`: no list, `decimate` and `offset` select."""

DEFAULT_PRIORITY: Final = -5

FINAL_RANGE: Final = -1
"""As `RetrieveOptions.range_index`: all that is not held yet."""

DEFAULT_TYPE: Final = "default"
"""The retrieve type, and the key inside one, for what has no entry of its own."""

HTJ2K_FAMILY: Final = frozenset(
    (uids.HTJ2K_PRIVATE, uids.HTJ2K_LOSSLESS, uids.HTJ2K_LOSSLESS_RPCL, uids.HTJ2K)
)


class RequestType(IntEnum):
    """The queue of a stage's requests; all of a smaller one go first."""

    INTERACTION = 0
    THUMBNAIL = 1
    PREFETCH = 2
    COMPUTE = 3


@dataclass(frozen=True, slots=True)
class RetrieveOptions:
    """How one request of a frame is made, and what its picture counts as.

    ``url_arguments`` is appended to the URL's query. ``frames_path`` (``/jls/``) takes the place of
    ``/frames/`` in the URL, or names a `sources.base.Representation`. ``decode_level`` counts as
    in cornerstone3D: 0 the full size, each further one half of it; None leaves the choice to the
    scheduler. ``image_quality_status`` is that of a picture of all bytes there are; one of fewer is
    SUBRESOLUTION whatever is said. ``streaming``: pictures are shown while the bytes come, at most
    every ``min_chunk_size_bytes``.
    ``range_index`` k asks for the first ``initial_chunk_size_bytes`` and k further chunks of
    ``chunk_size_bytes``, `FINAL_RANGE` for the rest, None for all in one request.
    ``decode_interval_ms`` is the least time between two decodes of the same frame.
    """

    url_arguments: str = ""
    frames_path: str = ""
    decode_level: int | None = None
    image_quality_status: Quality = Quality.FULL_RESOLUTION
    streaming: bool = False
    min_chunk_size_bytes: int = 131_072
    range_index: int | None = None
    chunk_size_bytes: int = 65_536
    initial_chunk_size_bytes: int | None = None
    decode_interval_ms: float = 0.0

    @property
    def prefix_bytes(self) -> int | None:
        """How many bytes from the first must be held for this request; None: all there are."""
        if self.range_index is None or self.range_index < 0:
            return None
        first = self.initial_chunk_size_bytes
        first = self.chunk_size_bytes if first is None else first
        return first + self.chunk_size_bytes * self.range_index

    @property
    def rewrites_url(self) -> bool:
        """Whether the bytes are another resource's than the frame's own."""
        return bool(self.frames_path or self.url_arguments)


@dataclass(frozen=True, slots=True)
class Nearby:
    """A frame at index + ``offset`` is shown by a copy of this one until something better is here.

    The copy counts as ``image_quality_status``, one of the two replicates.
    """

    offset: int
    image_quality_status: Quality


@dataclass(frozen=True, slots=True)
class Stage:
    """Which frames are requested, with which options, in which queue.

    ``positions`` wins over ``decimate`` and ``offset`` (`select.selected`). ``retrieve_type`` is a
    key of `RetrieveConfiguration.retrieve_options`. A smaller ``priority`` goes first in a queue.
    """

    id: str
    positions: tuple[float, ...] = ALL_FRAMES
    decimate: int = 1
    offset: int = 0
    retrieve_type: str = DEFAULT_TYPE
    request_type: RequestType = RequestType.INTERACTION
    priority: int = DEFAULT_PRIORITY
    nearby_frames: tuple[Nearby, ...] = ()


class Listener(Protocol):
    """What a retriever of one's own may ask for."""

    def request(self, frame_index: int, options: RetrieveOptions) -> None:
        """Retrieve a frame in this way; the requests of a frame run one after the other."""

    def done(self) -> None:
        """There will be no further requests."""


class Retriever(Protocol):
    """Takes the place of stages: decides by itself which frame is requested when, and how."""

    def start(self, frames: Sequence[int], listener: Listener) -> None:
        """Begin; ``frames`` are the indices of all frames of the series. It must not block."""

    def retrieved(self, frame_index: int, quality: Quality) -> None:
        """A request of a frame succeeded; the picture held is of this quality."""

    def failed(self, frame_index: int, error: FirstlightError) -> None:
        """A request of a frame failed, and was tried as often as it is worth it."""


class RetrieverFactory(Protocol):
    """Makes a retriever for a series."""

    def __call__(self, configuration: RetrieveConfiguration, /) -> Retriever:
        """A new retriever, which has seen no frame yet."""


OptionsOfType = RetrieveOptions | Mapping[str, RetrieveOptions]
"""Options of a retrieve type, or of each transfer syntax in it, `DEFAULT_TYPE` for the rest."""


@dataclass(frozen=True, slots=True)
class RetrieveConfiguration:
    """How a series is retrieved.

    ``adaptive``: by the scheduler's own order, which measures; there are no stages. ``create``
    makes a retriever that takes the place of the stages. Otherwise ``stages`` in their order, or
    ``volume_stages``, where there are any, for a series that is shown as a volume.
    """

    name: str = ""
    stages: tuple[Stage, ...] = ()
    retrieve_options: Mapping[str, OptionsOfType] = field(default_factory=dict)
    create: RetrieverFactory | None = None
    adaptive: bool = False
    volume_stages: tuple[Stage, ...] = ()

    def __post_init__(self) -> None:
        plain = {name: _flat(options) for name, options in self.retrieve_options.items()}
        object.__setattr__(self, "retrieve_options", plain)

    def options(self, retrieve_type: str, transfer_syntax_uid: str = "") -> RetrieveOptions:
        """The options of a retrieve type for frames of a transfer syntax; defaults where none."""
        for name in (retrieve_type, DEFAULT_TYPE):
            found = self.retrieve_options.get(name)
            if isinstance(found, RetrieveOptions):
                return found
            if found is not None:
                by_syntax = _by_syntax(found, transfer_syntax_uid)
                if by_syntax is not None:
                    return by_syntax
        return RetrieveOptions()

    def stages_for(self, *, volume: bool) -> tuple[Stage, ...]:
        """The stages of a series, depending on whether it is shown as a volume."""
        return self.volume_stages or self.stages if volume else self.stages


def standard_uid(uid: str) -> str:
    """A Transfer Syntax UID, with the root that it has in the standard (PS3.6 Annex A).

    ``3.2.840...`` is a slip of the pen that lives on in configurations.
    """
    return "1" + uid[1:] if uid.startswith("3.2.840.10008.") else uid


def _by_syntax(options: Mapping[str, RetrieveOptions], uid: str) -> RetrieveOptions | None:
    """The entry for a UID, for its family, or the default one."""
    known = {standard_uid(key): value for key, value in options.items()}
    uid = standard_uid(uid)
    if uid in known:
        return known[uid]
    if uid in HTJ2K_FAMILY and uids.HTJ2K_PRIVATE in known:
        # Written before the standard had HTJ2K, it stood for all of it.
        return known[uids.HTJ2K_PRIVATE]
    return known.get(DEFAULT_TYPE)


def _flat(options: OptionsOfType) -> OptionsOfType:
    """Options for every transfer syntax in their shortest form, so that equal ones are equal."""
    if isinstance(options, RetrieveOptions):
        return options
    known = {standard_uid(key): value for key, value in options.items()}
    return known[DEFAULT_TYPE] if known.keys() == {DEFAULT_TYPE} else known
