"""Pictures to files: PNG to look at, NPY to compute with, DICOM to pass on."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.errors import FirstlightError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from firstlight.adapters.load import LoadedFrame
    from firstlight.dicom.attributes import ImageAttributes, LookupTable, PaletteColor, Window


class CannotWrite(FirstlightError):
    """The picture does not fit the format asked for."""


def write_png(path: Path, frame: LoadedFrame, *, raw: bool) -> None:
    """Write a PNG: windowed to 8 bits, or with ``raw`` the stored values, signed ones from zero.

    Raises:
        CannotWrite: samples that PNG has no room for.
    """
    import imagecodecs

    values = frame.picture.values
    if raw:
        if values.dtype.itemsize > 2:
            raise CannotWrite("a PNG has at most 16 bits a sample; write .npy")
        shown = values if values.dtype.kind == "u" else _from_zero(values)
    else:
        shown = displayed(values, frame.image)
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(shown)))


def write_npy(path: Path, frame: LoadedFrame) -> None:
    """Write the stored values as an array of NumPy."""
    with path.open("wb") as file:
        np.save(file, frame.picture.values)


def write_dicom(path: Path, frame: LoadedFrame) -> None:
    """Write a Secondary Capture with the stored values and the attributes known of the frame.

    Raises:
        CannotWrite: not the full image, or one with a palette.
    """
    if not frame.picture.is_final:
        raise CannotWrite("a DICOM file takes the full image only: leave --level out")
    if frame.image.palette_color is not None:
        raise CannotWrite("a DICOM file of a palette image is not written; write .png or .npy")
    _dataset(frame).save_as(path, enforce_file_format=True)


def displayed(values: NDArray[Any], image: ImageAttributes) -> NDArray[Any]:
    """Stored values as 8-bit grey or RGB, by the first window (PS3.3 C.11.2.1.2)."""
    if image.palette_color is not None:
        return _from_palette(values, image.palette_color)
    if image.samples_per_pixel == 3:
        colours = _eight_bits(values, image)
        return _rgb(colours) if image.photometric_interpretation.startswith("YBR") else colours
    modality = _modality_values(values, image)
    if image.windows:
        shown = _windowed(modality, image.windows[0], image.voi_lut_function)
    elif image.voi_luts:
        table = image.voi_luts[0]
        shown = _looked_up(modality, table) / ((1 << table.bits) - 1)
    else:
        low, high = modality.min(), modality.max()
        shown = (modality - low) / max(high - low, 1e-9)
    if image.photometric_interpretation == "MONOCHROME1":
        shown = 1 - shown
    return np.asarray(np.rint(255 * np.clip(shown, 0, 1)), np.uint8)


def _modality_values(values: NDArray[Any], image: ImageAttributes) -> NDArray[Any]:
    if image.modality_lut is not None:
        return _looked_up(values, image.modality_lut)
    return values * image.rescale_slope + image.rescale_intercept


def _windowed(values: NDArray[Any], window: Window, function: str) -> NDArray[Any]:
    """0 to 1 by a VOI LUT Function (PS3.3 C.11.2.1.2.1, C.11.2.1.3)."""
    center, width = window.center, window.width
    if function == "SIGMOID":
        shown = 1 / (1 + np.exp(-4 * (values - center) / width))
    elif function == "LINEAR_EXACT":
        shown = (values - center) / width + 0.5
    else:
        shown = (values - (center - 0.5)) / max(width - 1, 1e-9) + 0.5
    return np.asarray(shown)


def _looked_up(values: NDArray[Any], table: LookupTable) -> NDArray[Any]:
    dtype = "u1" if table.bits <= 8 else "<u2"
    entries = np.frombuffer(base64.b64decode(table.data), dtype).astype(np.float64)
    places = np.rint(values).astype(np.int64) - table.first_value
    return np.asarray(entries[np.clip(places, 0, len(entries) - 1)])


def _from_palette(values: NDArray[Any], palette: PaletteColor) -> NDArray[Any]:
    entries = np.frombuffer(base64.b64decode(palette.data), np.uint8).reshape(-1, 3)
    places = values.astype(np.int64) - palette.first_value
    return np.asarray(entries[np.clip(places, 0, len(entries) - 1)])


def _eight_bits(values: NDArray[Any], image: ImageAttributes) -> NDArray[Any]:
    spare = max(0, image.bits_stored - 8)
    return np.asarray(values >> spare, np.uint8)


def _rgb(colours: NDArray[Any]) -> NDArray[Any]:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2)."""
    y, cb, cr = (colours[..., index].astype(np.float64) for index in range(3))
    cb, cr = cb - 128, cr - 128
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    return np.asarray(np.rint(np.clip(rgb, 0, 255)), np.uint8)


def _from_zero(values: NDArray[Any]) -> NDArray[Any]:
    """Signed values as unsigned ones of the same order; the most negative becomes 0."""
    unsigned = values.view(np.dtype(f"u{values.dtype.itemsize}"))
    return np.asarray(unsigned ^ unsigned.dtype.type(1 << (8 * values.dtype.itemsize - 1)))


def _dataset(frame: LoadedFrame) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    image, values = frame.image, frame.picture.values
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.PatientName = dataset.PatientID = ""
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.Modality = frame.series["modality"] or "OT"
    dataset.SeriesDescription = frame.series["description"]
    dataset.SeriesNumber = frame.series["number"]
    dataset.InstanceNumber = frame.frame_index + 1
    _describe_pixels(dataset, image, values)
    _describe_place(dataset, image)
    dataset.PixelData = values.astype(values.dtype.newbyteorder("<")).tobytes() + bytes(
        values.nbytes % 2
    )
    dataset["PixelData"].VR = "OB" if values.dtype.itemsize == 1 else "OW"
    return dataset


def _describe_pixels(dataset: Dataset, image: ImageAttributes, values: NDArray[Any]) -> None:
    photometric = image.photometric_interpretation
    dataset.SamplesPerPixel = image.samples_per_pixel
    if image.samples_per_pixel > 1:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "YBR_FULL" if "422" in photometric else photometric
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.BitsAllocated = 8 * values.dtype.itemsize
    dataset.BitsStored = min(image.bits_stored, dataset.BitsAllocated)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = image.pixel_representation
    if image.samples_per_pixel == 1 and image.modality_lut is None:
        dataset.RescaleSlope = f"{image.rescale_slope:.10g}"
        dataset.RescaleIntercept = f"{image.rescale_intercept:.10g}"
        dataset.RescaleType = image.rescale_type or "US"
    if image.windows:
        dataset.WindowCenter = [f"{window.center:.10g}" for window in image.windows]
        dataset.WindowWidth = [f"{window.width:.10g}" for window in image.windows]
        dataset.VOILUTFunction = image.voi_lut_function


def _describe_place(dataset: Dataset, image: ImageAttributes) -> None:
    if image.pixel_spacing and image.pixel_spacing_source:
        spacing = [f"{side:.10g}" for side in image.pixel_spacing]
        setattr(dataset, image.pixel_spacing_source, spacing)
    if image.image_position_patient and image.image_orientation_patient:
        dataset.ImagePositionPatient = [f"{v:.10g}" for v in image.image_position_patient]
        dataset.ImageOrientationPatient = [f"{v:.10g}" for v in image.image_orientation_patient]
