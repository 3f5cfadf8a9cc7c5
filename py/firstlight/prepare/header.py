"""The DICOM header of what is written, made from the header of what was read."""

from __future__ import annotations

import copy
import hashlib
import re
from typing import TYPE_CHECKING, Final

from pydicom import uid

from firstlight.dicom.uids import HTJ2K_LOSSLESS_RPCL
from firstlight.errors import NotDicom
from firstlight.prepare.stored import photometric_of_stored

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileMetaDataset

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_MAX_UID_CHARACTERS: Final = 64
_SHARED: Final[dict[str, tuple[str, ...]]] = {
    "StudyInstanceUID": ("PatientID", "StudyID", "StudyDate", "StudyTime"),
    "SeriesInstanceUID": (
        "StudyInstanceUID",
        "Modality",
        "SeriesNumber",
        "SeriesDescription",
        "FrameOfReferenceUID",
    ),
    "SOPInstanceUID": (),
}
"""UIDs that an instance needs, in the order of need, and what stands for one that is absent."""

_PIXEL_KEYWORDS: Final = ("PixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_LOSSY_METHODS: Final = {
    uid.JPEGBaseline8Bit: "ISO_10918_1",
    uid.JPEGExtended12Bit: "ISO_10918_1",
    uid.JPEGLSNearLossless: "ISO_14495_1",
}


def complete_uids(dataset: Dataset, source_sha256: str, *, resource: str) -> None:
    """Check the three UIDs that name an instance, and give those that are absent.

    A given one (PS3.5 B.2) follows from attributes that the files of a study or series share,
    from the content where there are none, so that a second run finds it again.

    Raises:
        NotDicom: one is there and is not a UID (PS3.5 9.1); it would become part of a path.
    """
    for keyword, shared in _SHARED.items():
        value = str(dataset.get(keyword, None) or "")
        if not value:
            shown = [str(dataset.get(name, None) or "") for name in shared]
            seed = repr((keyword, shown if any(shown) else source_sha256))
            digest = hashlib.sha256(seed.encode()).digest()
            setattr(dataset, keyword, f"2.25.{int.from_bytes(digest[:16], 'big')}")
        elif len(value) > _MAX_UID_CHARACTERS or not _UID.fullmatch(value):
            raise NotDicom(f"{keyword} is not a UID", resource=resource)


def written_header(dataset: Dataset, *, bits_stored: int) -> Dataset:
    """A copy without pixels, whose attributes describe HTJ2K Lossless RPCL frames.

    Bits Allocated becomes 8 or 16; colour was encoded with the reversible transform where
    `uses_colour_transform` says so; what a lossy source lost stays declared (PS3.3 C.7.6.1.1.5).
    """
    header = copy.copy(dataset)
    for keyword in _PIXEL_KEYWORDS:
        if keyword in header:
            delattr(header, keyword)
    header.BitsAllocated = 8 if dataset.BitsAllocated <= 8 else 16
    header.BitsStored = bits_stored
    header.HighBit = bits_stored - 1
    header.PhotometricInterpretation = (
        "YBR_RCT" if uses_colour_transform(dataset) else photometric_of_stored(dataset)
    )
    if dataset.get("SamplesPerPixel", 1) == 3:
        header.PlanarConfiguration = 0
    method = _LOSSY_METHODS.get(dataset.file_meta.TransferSyntaxUID)
    if method and header.get("LossyImageCompression", None) != "01":
        header.LossyImageCompression = "01"
        header.LossyImageCompressionMethod = method
    header.file_meta = _file_meta(header)
    return header


def uses_colour_transform(dataset: Dataset) -> bool:
    """Whether RCT pays and is allowed: only for RGB (PS3.5 8.2.4)."""
    return photometric_of_stored(dataset) == "RGB" and dataset.get("SamplesPerPixel", 1) == 3


def bits_stored_of(dataset: Dataset) -> int:
    """Bits Stored of the source, within what its Bits Allocated allow."""
    container = 8 if dataset.BitsAllocated <= 8 else 16
    stored = int(dataset.get("BitsStored", 0) or container)
    return min(max(stored, 1), container)


def _file_meta(header: Dataset) -> FileMetaDataset:
    meta = copy.copy(header.file_meta)
    meta.TransferSyntaxUID = uid.UID(HTJ2K_LOSSLESS_RPCL)
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    if header.get("SOPClassUID", None):
        meta.MediaStorageSOPClassUID = header.SOPClassUID
    return meta
