"""Everything that can go wrong, as types.

FirstlightError
├── TransportError          the bytes did not come
│   ├── Unreachable         no answer at all: name, connection, CORS
│   ├── HttpStatus          an answer that is not the resource: 403, 404, 416, 500
│   ├── RangeIgnored        the whole resource came for a range, and cannot be used so
│   ├── ShortBody           the body ended before its announced length
│   └── ResourceChanged     another version of the resource than the bytes held
├── FormatError             the bytes came and are not what they should be
│   ├── NotDicom            not a DICOM Part 10 file, or one without the attributes of an image
│   ├── MalformedCodestream not a JPEG 2000 codestream, or one that contradicts itself
│   ├── MalformedDescriptor a firstlight.json that this version cannot read
│   └── UnsupportedTransferSyntax
├── DecodeError             the decoder refused, or gave something else than was announced
├── ConfigurationError      a retrieve configuration that cannot be followed
└── LimitExceeded           larger than the configured limit; refused before memory is taken

Absence is a value (None, an empty tuple), never one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from firstlight.ranges import ByteRange


class ErrorRecord(TypedDict):
    """An error as plain data, the form in which it reaches the page and ``--json``."""

    type: str
    message: str
    resource: str | None
    frame_index: int | None
    range: str | None


class FirstlightError(Exception):
    """Base of all; names the resource, and where known the frame and the byte range."""

    def __init__(
        self,
        message: str,
        *,
        resource: str | None = None,
        frame_index: int | None = None,
        extent: ByteRange | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.resource = resource
        self.frame_index = frame_index
        self.extent = extent

    def record(self) -> ErrorRecord:
        """This error as plain data."""
        return {
            "type": type(self).__name__,
            "message": self.message,
            "resource": self.resource,
            "frame_index": self.frame_index,
            "range": None if self.extent is None else str(self.extent),
        }

    def __str__(self) -> str:
        parts = [self.message]
        if self.resource is not None:
            parts.append(self.resource)
        if self.extent is not None:
            parts.append(f"bytes {self.extent}")
        return ", ".join(parts)


class TransportError(FirstlightError):
    """The bytes did not come."""


class Unreachable(TransportError):
    """No answer: name resolution, connection, TLS, CORS or an abort by the other side."""


class HttpStatus(TransportError):
    """The server answered with a status that does not carry the resource.

    ``retry_after_ms`` is how long it asks to wait (RFC 9110 10.2.3), None where it does not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        retry_after_ms: float | None = None,
        resource: str | None = None,
        frame_index: int | None = None,
        extent: ByteRange | None = None,
    ) -> None:
        super().__init__(message, resource=resource, frame_index=frame_index, extent=extent)
        self.status = status
        self.retry_after_ms = retry_after_ms


class RangeIgnored(TransportError):
    """The server sent something else than the range asked for, and it cannot be used instead."""


class ShortBody(TransportError):
    """The body ended before the length that the server had announced."""


class ResourceChanged(TransportError):
    """The resource is another version (ETag, length) than the one whose bytes are held."""


class FormatError(FirstlightError):
    """The bytes came and are not what they should be."""


class NotDicom(FormatError):
    """Not a DICOM Part 10 file, or one that does not describe an image."""


class MalformedCodestream(FormatError):
    """Not a JPEG 2000 codestream (ISO/IEC 15444-1, -15), or one that contradicts itself."""


class MalformedDescriptor(FormatError):
    """A ``firstlight.json`` that does not follow its specification."""


class UnsupportedTransferSyntax(FormatError):
    """A transfer syntax for which there is no decoder."""


class DecodeError(FirstlightError):
    """The decoder refused, or returned something else than the image announced."""


class ConfigurationError(FirstlightError):
    """A retrieve configuration that cannot be followed; begins with the path of the field."""


class LimitExceeded(FirstlightError):
    """Larger than the configured limit; refused before memory is taken for it."""
