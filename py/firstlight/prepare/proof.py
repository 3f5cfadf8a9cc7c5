"""One frame of a tree, read as a client would, decoded and compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from firstlight.dicom.codecs import coding_of
from firstlight.errors import FirstlightError
from firstlight.j2k.index import read_index
from firstlight.prepare.stored import stored_frames, stored_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.dicom.attributes import ImageAttributes
    from firstlight.prepare.stored import Pixels
    from firstlight.prepare.tree import Tree
    from firstlight.sources.descriptor import AlternateEntry, FrameEntry

_MULTIPART: Final = ".mht"
_TAIL_BYTES: Final = 80


class Complaint(NamedTuple):
    """What is wrong with a file."""

    path: str
    reason: str


def frame_complaints(
    tree: Tree, frame: FrameEntry, transfer_syntax_uid: str
) -> Iterator[Complaint]:
    """Everything wrong with a frame: its place, its levels, its pixels, its alternates."""
    try:
        reasons = list(_reasons(tree, frame, transfer_syntax_uid))
    except FirstlightError as error:
        reasons = [error.message]
    except FileNotFoundError:
        reasons = ["is missing"]
    yield from (Complaint(frame.url, f"frame {frame.frame_number}: {text}") for text in reasons)
    for alternate in frame.alternates:
        yield from _alternate_complaints(tree, alternate)


def decoded(
    codestream: bytes, image: ImageAttributes, transfer_syntax_uid: str, *, resource: str
) -> Pixels:
    """The stored values of one frame, by the very decoders that read sources.

    Raises:
        DecodeError: it is refused, or gives another size than announced.
        UnsupportedTransferSyntax: there is no decoder for it.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    dataset.Rows, dataset.Columns = image.rows, image.columns
    dataset.SamplesPerPixel = image.samples_per_pixel
    dataset.PhotometricInterpretation = image.photometric_interpretation
    if image.samples_per_pixel > 1:
        dataset.PlanarConfiguration = image.planar_configuration
    dataset.BitsAllocated, dataset.BitsStored = image.bits_allocated, image.bits_stored
    dataset.HighBit, dataset.PixelRepresentation = image.high_bit, image.pixel_representation
    native = not coding_of(transfer_syntax_uid).encapsulated
    dataset.PixelData = codestream if native else encapsulate([codestream])
    dataset["PixelData"].VR = "OW" if native else "OB"
    [values] = stored_frames(dataset, resource=resource)
    return values


def _reasons(tree: Tree, frame: FrameEntry, transfer_syntax_uid: str) -> Iterator[str]:
    stop = frame.start + frame.length
    [codestream] = tree.read_ranges([(frame.url, frame.start, stop)])
    if len(codestream) != frame.length:
        yield f"the file ends {frame.length - len(codestream)} bytes before the frame does"
        return
    if frame.url.endswith(_MULTIPART) and not _is_framed(tree, frame):
        yield "the multipart framing is broken"
    if len(frame.level_ends) > 1:
        ends = tuple(read_index(codestream, resource=frame.url).level_ends)
        if ends != frame.level_ends:
            yield "level_ends are not those of the codestream"
    values = decoded(codestream, frame.image, transfer_syntax_uid, resource=frame.url)
    if frame.sha256 and stored_sha256(values) != frame.sha256:
        yield "other pixels than its sha256 says"
    if frame.encoded_sha256 and hashlib.sha256(codestream).hexdigest() != frame.encoded_sha256:
        yield "another codestream than its encoded_sha256 says"
    if not frame.sha256 and not frame.encoded_sha256:
        yield "has no hash to compare with"


def _is_framed(tree: Tree, frame: FrameEntry) -> bool:
    """Whether exactly one part surrounds the codestream (RFC 2046 5.1)."""
    stop = frame.start + frame.length
    head, tail = tree.read_ranges(
        [(frame.url, 0, frame.start), (frame.url, stop, stop + _TAIL_BYTES)]
    )
    boundary = head.partition(b"\r\n")[0]
    return (
        boundary.startswith(b"--")
        and head.endswith(b"\r\n\r\n")
        and tail == b"\r\n" + boundary + b"--"
    )


def _alternate_complaints(tree: Tree, alternate: AlternateEntry) -> Iterator[Complaint]:
    stop = alternate.start + alternate.length
    try:
        [data] = tree.read_ranges([(alternate.url, alternate.start, stop)])
    except FileNotFoundError:
        yield Complaint(alternate.url, "is missing")
        return
    if len(data) != alternate.length:
        yield Complaint(alternate.url, "ends too early")
    elif alternate.level_ends and tuple(read_index(data).level_ends) != alternate.level_ends:
        yield Complaint(alternate.url, "level_ends are not those of the codestream")
