"""Data element headers (PS3.5 7.1) and how to get past an element of undefined length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from firstlight.errors import NotDicom

if TYPE_CHECKING:
    from firstlight.dicom.window import Asking, ByteWindow

ITEM: Final = 0xFFFEE000
ITEM_DELIMITER: Final = 0xFFFEE00D
SEQUENCE_DELIMITER: Final = 0xFFFEE0DD
UNDEFINED_LENGTH: Final = 0xFFFFFFFF

MAX_DEPTH: Final = 64
"""Of sequences in sequences. Real ones stay below ten; pydicom recurses."""

HEADER_READ_BYTES: Final = 1 << 15

_LONG_VRS: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""VRs whose length field has 32 bits, after two reserved bytes (PS3.5 7.1.2)."""

_LONGEST_HEADER_BYTES: Final = 12


class Encoding(NamedTuple):
    """How data elements are written: with their VR or without, and the order of bytes."""

    explicit: bool
    order: Literal["little", "big"]


IMPLICIT_LITTLE: Final = Encoding(explicit=False, order="little")
EXPLICIT_LITTLE: Final = Encoding(explicit=True, order="little")
EXPLICIT_BIG: Final = Encoding(explicit=True, order="big")


class ElementHeader(NamedTuple):
    """Tag, VR (empty where it is implicit), size of the header itself, and of the value.

    ``length`` is None where it is undefined: the value then ends with a delimiter.
    """

    tag: int
    vr: bytes
    header_bytes: int
    length: int | None


def is_vr(letters: bytes) -> bool:
    """Whether two bytes can be a VR: two capital letters."""
    return len(letters) == 2 and letters.isalpha() and letters.isupper()


def read_header(window: ByteWindow, at: int, encoding: Encoding) -> Asking[ElementHeader | None]:
    """The header of the element at an offset, None where the resource ends before it.

    An explicit VR that is none is read as an implicit one: some writers switch in the middle.
    """
    if not (yield from window.reach(at, at + 8, HEADER_READ_BYTES)):
        return None
    data = window.take(at, at + _LONGEST_HEADER_BYTES)
    order = encoding.order
    tag = int.from_bytes(data[0:2], order) << 16 | int.from_bytes(data[2:4], order)
    vr = data[4:6]
    if not encoding.explicit or tag >> 16 == ITEM >> 16 or not is_vr(vr):
        return ElementHeader(tag, b"", 8, _length(data[4:8], order))
    if vr not in _LONG_VRS:
        return ElementHeader(tag, vr, 8, int.from_bytes(data[6:8], order))
    if not (yield from window.reach(at, at + _LONGEST_HEADER_BYTES, HEADER_READ_BYTES)):
        return None
    data = window.take(at, at + _LONGEST_HEADER_BYTES)
    return ElementHeader(tag, vr, _LONGEST_HEADER_BYTES, _length(data[8:12], order))


def skip_undefined(
    window: ByteWindow, at: int, vr: bytes, encoding: Encoding, *, limit: int
) -> Asking[int]:
    """Offset after the value, of undefined length, that begins at ``at``.

    Raises:
        NotDicom: the nesting is broken, deeper than `MAX_DEPTH`, or goes on beyond ``limit``.
    """
    nesting = [_opened(vr, encoding)]
    while nesting:
        inside, inner = nesting[-1]
        if at > limit:
            raise NotDicom(f"a sequence without end before byte {at}", resource=window.resource)
        yield from window.need(window.start, at, HEADER_READ_BYTES)
        header = yield from read_header(window, at, inner)
        if header is None:
            raise NotDicom("the file ends inside a sequence", resource=window.resource)
        tag, length = header.tag, header.length
        at += header.header_bytes
        if tag == (ITEM_DELIMITER if inside == "item" else SEQUENCE_DELIMITER):
            nesting.pop()
        elif (tag == ITEM) == (inside == "item"):
            raise NotDicom(
                f"tag {tag:08X} at byte {at} is out of place in a sequence",
                resource=window.resource,
            )
        elif length is not None:
            at += length
        elif inside == "fragments":
            raise NotDicom(f"a fragment without length, byte {at}", resource=window.resource)
        elif len(nesting) >= 2 * MAX_DEPTH:
            raise NotDicom(f"sequences nested beyond {MAX_DEPTH}", resource=window.resource)
        else:
            nesting.append(("item", inner) if tag == ITEM else _opened(header.vr, inner))
    return at


def _opened(vr: bytes, encoding: Encoding) -> tuple[str, Encoding]:
    """What an element of undefined length holds, and in which encoding."""
    if vr in (b"OB", b"OW"):
        return "fragments", encoding
    # PS3.5 6.2.2 note 2: an unknown element of undefined length is a sequence in implicit VR.
    return "items", IMPLICIT_LITTLE if vr == b"UN" else encoding


def _length(field: bytes, order: Literal["little", "big"]) -> int | None:
    value = int.from_bytes(field, order)
    return None if value == UNDEFINED_LENGTH else value
