"""Generated pixels as DICOM Part 10 files; the same bytes on every machine."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from firstlight.prepare.samples import radiograph, volume

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstlight.prepare.samples.shapes import Map

_ROOT: Final = "2.25.8710419625031177390"
"""UIDs derived from a UUID (PS3.5 B.2) chosen once; everything generated hangs below it."""


def radiograph_file() -> bytes:
    """The generated radiograph (PS3.3 A.26)."""
    dataset = _dataset(DigitalXRayImageStorageForPresentation, study=1, instance=1)
    dataset.Modality = "DX"
    dataset.StudyDescription = dataset.SeriesDescription = "Generated chest radiograph"
    dataset.BodyPartExamined = "CHEST"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImagerPixelSpacing = [0.139, 0.139]
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1
    dataset.WindowCenter, dataset.WindowWidth = ["1480", "1300"], ["2660", "1500"]
    dataset.WindowCenterWidthExplanation = ["NORMAL", "LUNG"]
    return _part10(dataset, radiograph.radiograph(), bits_stored=radiograph.BITS_STORED)


def volume_files(count: int = volume.SLICES) -> Iterator[bytes]:
    """The slices of the generated CT (PS3.3 A.3)."""
    for index, stored in enumerate(volume.slices(count)):
        dataset = _dataset(CTImageStorage, study=2, instance=index + 1)
        dataset.Modality = "CT"
        dataset.StudyDescription = dataset.SeriesDescription = "Generated chest and abdomen"
        half_mm = volume.PIXEL_SPACING_MM * (volume.SIDE_PX - 1) / 2
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        z_mm = -volume.SLICE_STEP_MM * index
        dataset.ImagePositionPatient = [_ds(-half_mm), _ds(-half_mm), _ds(z_mm)]
        dataset.SliceLocation = _ds(z_mm)
        dataset.FrameOfReferenceUID = f"{_ROOT}.2.1.0"
        dataset.PixelSpacing = [_ds(volume.PIXEL_SPACING_MM)] * 2
        dataset.SliceThickness = _ds(volume.SLICE_STEP_MM)
        dataset.RescaleSlope = _ds(volume.RESCALE_SLOPE)
        dataset.RescaleIntercept = _ds(volume.RESCALE_INTERCEPT)
        dataset.RescaleType = "HU"
        dataset.WindowCenter, dataset.WindowWidth = ["40", "-600"], ["400", "1500"]
        dataset.WindowCenterWidthExplanation = ["SOFT TISSUE", "LUNG"]
        yield _part10(dataset, stored, bits_stored=16)


def _dataset(sop_class_uid: str, *, study: int, instance: int) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = f"{_ROOT}.{study}.1.{instance}"
    dataset.StudyInstanceUID = f"{_ROOT}.{study}"
    dataset.SeriesInstanceUID = f"{_ROOT}.{study}.1"
    dataset.StudyDate, dataset.StudyTime = "20260101", "120000"
    dataset.Manufacturer = "Firstlight"
    dataset.PatientName, dataset.PatientID = "Generated^Image", "GENERATED"
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = str(study), 1, instance
    return dataset


def _part10(dataset: Dataset, stored: Map, *, bits_stored: int) -> bytes:
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored = 16, bits_stored
    dataset.HighBit = bits_stored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _ds(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2)."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
