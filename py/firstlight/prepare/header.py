"""The DICOM header of what is written, made from the header of what was read."""

from __future__ import annotations

import copy
import hashlib
import re
from typing import TYPE_CHECKING, Final

from pydicom import uid
from pydicom.dataset import Dataset

from firstlight.errors import NotDicom
from firstlight.prepare.stored import photometric_of_stored

if TYPE_CHECKING:
    from pydicom.dataset import FileMetaDataset

    from firstlight.prepare.formats import Format

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


def written_header(
    dataset: Dataset, *, form: Format, bits_stored: int, kept: bool, lossy: bool, ratio: float = 1.0
) -> Dataset:
    """A copy without pixels, whose attributes describe the frames that are written.

    ``kept`` frames are as they were. Else Bits Allocated becomes 8 or 16, samples are interleaved,
    and what a lossy source lost stays declared (PS3.3 C.7.6.1.1.5). A ``lossy`` one is a
    derived image: it gets a UID of its own, says what it was derived from, and by how much it was
    compressed (``ratio``).
    """
    header = copy.copy(dataset)
    for keyword in _PIXEL_KEYWORDS:
        if keyword in header:
            delattr(header, keyword)
    if not kept:
        header.BitsAllocated = 8 if dataset.BitsAllocated <= 8 else 16
        header.BitsStored = bits_stored
        header.HighBit = bits_stored - 1
        header.PhotometricInterpretation = _photometric(dataset, form)
        if dataset.get("SamplesPerPixel", 1) == 3:
            header.PlanarConfiguration = 0
        method = _LOSSY_METHODS.get(dataset.file_meta.TransferSyntaxUID)
        if method and header.get("LossyImageCompression", None) != "01":
            header.LossyImageCompression = "01"
            header.LossyImageCompressionMethod = method
        if lossy:
            _declare_loss(header, form, ratio)
    header.file_meta = _file_meta(header, form)
    return header


def lossy_uid(sop_instance_uid: str, recipe_digest: str) -> str:
    """The SOP Instance UID of the lossy image that is derived so from an instance."""
    digest = hashlib.sha256(f"{sop_instance_uid} {recipe_digest}".encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def uses_colour_transform(dataset: Dataset, form: Format) -> bool:
    """Whether RCT or ICT pays and is allowed: only for RGB (PS3.5 8.2.4), in JPEG 2000."""
    colour = photometric_of_stored(dataset) == "RGB" and dataset.get("SamplesPerPixel", 1) == 3
    return colour and form.family in ("htj2k", "jpeg2000")


def _photometric(dataset: Dataset, form: Format) -> str:
    if uses_colour_transform(dataset, form):
        return "YBR_RCT" if form.exact else "YBR_ICT"
    return photometric_of_stored(dataset)


def _declare_loss(header: Dataset, form: Format, ratio: float) -> None:
    """PS3.3 C.7.6.1.1.2 and C.7.6.1.1.5, and where the image comes from (C.7.6.1)."""
    ratios, methods = (
        _listed(header, "LossyImageCompressionRatio"),
        _listed(header, "LossyImageCompressionMethod"),
    )
    header.LossyImageCompression = "01"
    header.LossyImageCompressionRatio = [*ratios, f"{ratio:.3g}"]
    header.LossyImageCompressionMethod = [*methods, form.method]
    image_type = _listed(header, "ImageType") or ["", "PRIMARY"]
    header.ImageType = ["DERIVED", *image_type[1:]]
    header.DerivationDescription = f"Lossy compression, {form.method}"


def refer_to_source(header: Dataset, sop_instance_uid: str) -> None:
    """Name the instance that a lossy one was derived from (PS3.3 C.12.4)."""
    source, purpose = Dataset(), Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "121320", "DCM"
    purpose.CodeMeaning = "Uncompressed predecessor"
    if header.get("SOPClassUID", None):
        source.ReferencedSOPClassUID = header.SOPClassUID
    source.ReferencedSOPInstanceUID = sop_instance_uid
    source.PurposeOfReferenceCodeSequence = [purpose]
    header.SourceImageSequence = [*(header.get("SourceImageSequence", None) or ()), source]


def _listed(header: Dataset, keyword: str) -> list[str]:
    value = header.get(keyword, None)
    if value is None or value == "":
        return []
    return [str(value)] if isinstance(value, str | float | int) else [str(item) for item in value]


def bits_stored_of(dataset: Dataset) -> int:
    """Bits Stored of the source, within what its Bits Allocated allow."""
    container = 8 if dataset.BitsAllocated <= 8 else 16
    stored = int(dataset.get("BitsStored", 0) or container)
    return min(max(stored, 1), container)


def _file_meta(header: Dataset, form: Format) -> FileMetaDataset:
    meta = copy.copy(header.file_meta)
    meta.TransferSyntaxUID = uid.UID(form.uid)
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    if header.get("SOPClassUID", None):
        meta.MediaStorageSOPClassUID = header.SOPClassUID
    return meta
