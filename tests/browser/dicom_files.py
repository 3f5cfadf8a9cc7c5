"""DICOM files with known pixels, written by pydicom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from pathlib import Path

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


def smooth_noise(rows: int, columns: int, *, seed: int, bits: int) -> np.ndarray:
    """Shapes with texture and noise: compresses like an image, and no two seeds are alike."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns] / max(rows, columns)
    shapes = np.sin(9 * x + seed) * np.cos(7 * y) + np.hypot(x - 0.5, y - 0.4)
    noise = random.normal(0, 0.02, (rows, columns))
    values = (shapes - shapes.min()) / np.ptp(shapes) * 0.8 + 0.1 + noise
    return (np.clip(values, 0, 1) * (2**bits - 1)).astype(np.uint16)


def write_image(path: Path, pixels: np.ndarray, *, series: str, number: int, bits: int) -> Dataset:
    """One monochrome image at position ``number`` of a series; signed when the array is."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CT_IMAGE_STORAGE
    dataset.SOPClassUID = CT_IMAGE_STORAGE
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[series, str(number)])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[series, "study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[series])
    dataset.PatientID = "TEST"
    dataset.PatientName = "Test^Image"
    dataset.StudyID = "1"
    dataset.Modality = "CT"
    dataset.SeriesDescription = series
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number + 1
    dataset.ImagePositionPatient = [0, 0, 2.5 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [0.7, 0.7]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.RescaleSlope = 1
    dataset.RescaleIntercept = -1024 if pixels.dtype.kind == "u" else 0
    dataset.WindowCenter = 1000
    dataset.WindowWidth = 2000
    dataset.PixelData = pixels.astype("<u2" if pixels.dtype.kind == "u" else "<i2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return dataset
