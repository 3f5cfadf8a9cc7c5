"""The frames of a file, with what an order to a decoder says of them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRBigEndian

from firstlight.dicom.codecs import coding_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasm.codestreams import Image

MAX_FRAMES = 1000
"""More are only in files that lie about their number."""

IMAGE_PIXEL = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "PlanarConfiguration",
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its bytes, the codec's name, and the image it has to be."""

    codec: str
    data: bytes
    levels: int
    image: Image


def dicom_frames(path: Path) -> list[Frame]:
    """The frames of a Part 10 file.

    Raises:
        Exception: whatever pydicom makes of a file that is none.
    """
    dataset = pydicom.dcmread(path, force=True)
    syntax = dataset.file_meta.TransferSyntaxUID
    coding = coding_of(syntax)
    image = image_of_dataset(dataset)
    element = dataset["FloatPixelData" if image.get("isFloat") else "PixelData"]
    image["valueRepresentation"] = element.VR if syntax == ExplicitVRBigEndian else ""
    value = element.value or b""
    count = min(int(dataset.get("NumberOfFrames", None) or 1), MAX_FRAMES)
    if coding.encapsulated:
        pieces = [(data, image) for data in generate_frames(value, number_of_frames=count)]
    else:
        pieces = list(native_pieces(value, image, count))
    return [Frame(coding.codec, data, levels_of(data), image) for data, image in pieces]


def image_of_dataset(dataset: pydicom.Dataset) -> Image:
    """All of the Image Pixel module that decides what comes out (PS3.3 C.7.6.3)."""
    image = {
        "rows": dataset.Rows,
        "columns": dataset.Columns,
        "samplesPerPixel": dataset.SamplesPerPixel,
        "bitsAllocated": dataset.BitsAllocated,
        "photometricInterpretation": dataset.get("PhotometricInterpretation", ""),
        "planarConfiguration": dataset.get("PlanarConfiguration", 0),
    }
    if "FloatPixelData" in dataset:
        return {**image, "bitsStored": 32, "pixelRepresentation": 0, "isFloat": True}
    return {
        **image,
        "bitsStored": dataset.BitsStored,
        "pixelRepresentation": dataset.PixelRepresentation,
        "highBit": dataset.HighBit,
    }


def native_pieces(value: bytes, image: Image, count: int) -> Iterator[tuple[bytes, Image]]:
    """Frames that lie end to end, of one bit a pixel without padding between them."""
    samples = image["rows"] * image["columns"] * image["samplesPerPixel"]
    if image["photometricInterpretation"] == "YBR_FULL_422":
        samples = samples * 2 // 3
    bits = samples * image["bitsAllocated"]
    for index in range(count):
        first, first_bit = divmod(index * bits, 8)
        stop = -(-(index + 1) * bits // 8)
        if image["bitsAllocated"] == 8 and image["valueRepresentation"] == "OW":
            stop += stop % 2  # big-endian words hold two samples, in the other order
        yield value[first:stop], {**image, "firstBit": first_bit}


def levels_of(data: bytes) -> int:
    """Decomposition levels of a JPEG 2000 codestream, bare or in a box; 0 of anything else."""
    start = data.find(b"\xff\x4f\xff\x51")
    if start < 0 or (start > 0 and data[4:8] != b"jP  "):
        return 0
    cod = data.find(b"\xff\x52", start)
    return data[cod + 9] if 0 <= cod < len(data) - 9 else 0


def raw_frame(data: bytes, facts: dict[str, Any], components: list[dict[str, Any]]) -> Frame:
    """A codestream that is a file of its own, described by itself."""
    first = components[0]
    image = {
        "rows": first["h"],
        "columns": first["w"],
        "samplesPerPixel": len(components),
        "bitsAllocated": 8 if first["prec"] <= 8 else 16,
        "bitsStored": first["prec"],
        "pixelRepresentation": int(first["signed"]),
    }
    codec = "openjph" if facts.get("ht") else "openjpeg"
    return Frame(codec, data, facts.get("levels", 0), image)


def jpeg_ls_frame(data: bytes, facts: dict[str, Any]) -> Frame:
    """A JPEG-LS stream that is a file of its own."""
    image = {
        "rows": facts["h"],
        "columns": facts["w"],
        "samplesPerPixel": facts["comps"],
        "bitsAllocated": 8 if facts["prec"] <= 8 else 16,
        "bitsStored": facts["prec"],
        "pixelRepresentation": 0,
    }
    return Frame("charls", data, 0, image)


def dicomweb_frames(instance: Path) -> list[Frame]:
    """The frames of an instance in a static DICOMweb tree, in order."""
    metadata = json.loads(gzip.decompress((instance / "metadata" / "index.json.gz").read_bytes()))
    record = metadata[0] if isinstance(metadata, list) else metadata
    dataset = pydicom.Dataset()
    for keyword in IMAGE_PIXEL:
        values = record.get(f"{tag_for_keyword(keyword):08X}", {}).get("Value")
        if values:
            setattr(dataset, keyword, values[0])
    files = sorted((instance / "frames").iterdir(), key=lambda path: int(path.name.split(".")[0]))
    frames = []
    for path in files:
        data, syntax = multipart_part(path)
        coding = coding_of(syntax)
        image = image_of_dataset(dataset)
        frames.append(Frame(coding.codec, data, levels_of(data), image))
    return frames


def multipart_part(path: Path) -> tuple[bytes, str]:
    """The one part of a stored response, and its transfer syntax."""
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.decompress(body)
    header, separator, rest = body.partition(b"\r\n\r\n")
    if not separator or b"transfer-syntax=" not in header:
        return body, "1.2.840.10008.1.2.1"
    boundary = b"\r\n" + header.lstrip(b"\r\n").split(b"\r\n")[0]
    syntax = header.split(b"transfer-syntax=")[1].split(b"\r\n")[0].strip(b'"; ').decode()
    return rest[: rest.rindex(boundary)], syntax
