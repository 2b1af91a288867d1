# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips in each of which one thing names somebody, made here."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import nibabel as nib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from monai_feat.data import write_gif, write_mp4
from tests.monai_feat.data.folder_search import layouts

WHO = "Mustermann Erika"
DICOM_WHO = "MUSTERMANN^ERIKA"


def moving(length: int = 6) -> np.ndarray:
    """Smooth pictures ``(T, H, W, 3)`` that move, without text."""
    base = layouts.picture(3, 96)
    return np.stack([np.roll(base, 3 * t, 1) for t in range(length)])


def _dicom(change: Callable[[FileDataset], None]) -> Callable[[Path], Path]:
    def write(stem: Path) -> Path:
        path = stem.with_suffix(".dcm")
        data = layouts.dicom(path)
        change(data)
        data.save_as(path, enforce_file_format=True)
        return path

    return write


def _nested(depth: int) -> Callable[[FileDataset], None]:
    def change(data: FileDataset) -> None:
        inner = Dataset()
        inner.PatientName = DICOM_WHO
        for _ in range(depth):
            outer = Dataset()
            outer.RequestAttributesSequence = Sequence([inner])
            inner = outer
        data.update(inner)

    return change


def _private(data: FileDataset) -> None:
    data.private_block(0x0099, "A VENDOR", create=True).add_new(1, "LO", WHO)


def _private_sequence(data: FileDataset) -> None:
    inner = Dataset()
    inner.PatientName = DICOM_WHO
    data.private_block(0x0099, "A VENDOR", create=True).add_new(1, "SQ", Sequence([inner]))


def _as_bytes(data: FileDataset) -> None:
    """A name inside an element that a parser takes for bytes."""
    value = DICOM_WHO.encode()
    hidden = struct.pack("<HH2sH", 0x10, 0x10, b"PN", len(value)) + value
    data.add(DataElement(0x00182436, "UN", struct.pack("<HHI", 0xFFFE, 0xE000, len(hidden)) + hidden))


def _behind_pixels(data: FileDataset) -> None:
    data.add(DataElement(0xFFFCFFFC, "OB", DICOM_WHO.encode()))


def _tags(suffix: str, codec: str = "libx264", **tags: str) -> Callable[[Path], Path]:
    def write(stem: Path) -> Path:
        path = stem.with_suffix(suffix)
        with av.open(
            str(path), "w", options={"movflags": "use_metadata_tags"} if suffix in (".mp4", ".mov") else {}
        ) as out:
            out.metadata.update(tags)
            stream = out.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
            for frame in moving():
                out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            out.mux(stream.encode(None))
        return path

    return write


def _boxed(kind: bytes, content: bytes) -> Callable[[Path], Path]:
    def write(stem: Path) -> Path:
        path = _tags(".mp4")(stem)
        path.write_bytes(path.read_bytes() + struct.pack(">I4s", len(content) + 8, kind) + content)
        return path

    return write


def _still(suffix: str, **options: object) -> Callable[[Path], Path]:
    def write(stem: Path) -> Path:
        path = stem.with_suffix(suffix)
        Image.fromarray(layouts.picture(1, 96)).save(path, **options)
        return path

    return write


def _called(write: Callable[[Path], Path], suffix: str) -> Callable[[Path], Path]:
    return lambda stem: (path := write(stem)).rename(path.with_suffix(suffix))


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x013B] = WHO
    return exif


def _png_text() -> PngImagePlugin.PngInfo:
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", WHO)
    return text


def _nifti(change: Callable[[nib.Nifti1Image], None]) -> Callable[[Path], Path]:
    def write(stem: Path) -> Path:
        path = stem.with_suffix(".nii.gz")
        image = nib.Nifti1Image(moving()[..., 0].transpose(2, 1, 0)[:, :, None], np.eye(4))
        change(image)
        nib.save(image, path)
        return path

    return write


def _field(name: str) -> Callable[[Path], Path]:
    def change(image: nib.Nifti1Image) -> None:
        image.header[name] = WHO.encode()

    return _nifti(change)


def _extension(image: nib.Nifti1Image) -> None:
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", WHO.encode()))


def _metaimage(stem: Path) -> Path:
    path = stem.with_suffix(".mha")
    pixels = moving()[..., 0]
    lines = ["ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False",
             f"PatientName = {WHO}", "ElementSpacing = 0.1 0.1 1", "DimSize = 96 96 6", "ElementType = MET_UCHAR",
             "ElementDataFile = LOCAL", ""]  # fmt: skip
    path.write_bytes("\n".join(lines).encode() + pixels.tobytes())
    return path


def _gif(stem: Path) -> Path:
    path = stem.with_suffix(".gif")
    frames = [Image.fromarray(frame) for frame in moving()]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, comment=WHO.encode())
    return path


def _written(frames: np.ndarray) -> np.ndarray:
    written = []
    for frame in frames:
        image = Image.fromarray(frame).resize((192, 192))
        ImageDraw.Draw(image).text((8, 10), "MUSTERMANN ERIKA", (255, 255, 255), ImageFont.load_default(16))
        written.append(np.asarray(image))
    return np.stack(written)


def _burnt_in(stem: Path) -> Path:
    path = stem.with_suffix(".mp4")
    write_mp4(torch.from_numpy(_written(moving()).transpose(3, 0, 1, 2).copy()), path, 10)
    return path


def _burnt_in_still(stem: Path) -> Path:
    return layouts.save(stem.with_suffix(".png"), _written(moving(1))[0])


def _named(name: str) -> Callable[[Path], Path]:
    def write(stem: Path) -> Path:
        path = stem.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_gif(torch.from_numpy(moving().transpose(3, 0, 1, 2).copy()), path, 10)
        return path

    return write


PLANTED: dict[str, Callable[[Path], Path]] = {
    "dicom name": _dicom(lambda data: setattr(data, "PatientName", DICOM_WHO)),
    "dicom name in sequences": _dicom(_nested(5)),
    "dicom name in a private sequence": _dicom(_private_sequence),
    "dicom name as bytes": _dicom(_as_bytes),
    "dicom behind the pixels": _dicom(_behind_pixels),
    "dicom private text": _dicom(_private),
    "dicom comments": _dicom(lambda data: setattr(data, "PatientComments", WHO)),
    "dicom institution": _dicom(lambda data: setattr(data, "InstitutionName", "St. Elsewhere")),
    "dicom date": _dicom(lambda data: setattr(data, "StudyDate", "20190304")),
    "mp4 title": _tags(".mp4", title=WHO),
    "mp4 artist": _tags(".mp4", artist=WHO),
    "mp4 comment": _tags(".mp4", comment=WHO),
    "mp4 location": _tags(".mp4", location="+48.1372+011.5756/"),
    "mp4 creation time": _tags(".mp4", creation_time="2019-03-04T10:00:00Z"),
    "mp4 of a device": _tags(".mp4", **{"com.apple.quicktime.model": "Device of Dr Mustermann"}),
    "mp4 xmp": _boxed(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + f"<x:xmpmeta>{WHO}".encode()),
    "mp4 unused space": _boxed(b"free", WHO.encode()),
    "mov title": _tags(".mov", title=WHO),
    "avi title": _tags(".avi", "mpeg4", title=WHO),
    "mkv comment": _tags(".mkv", comment=WHO),
    "jpeg exif": _still(".jpg", exif=_exif()),
    "jpeg exif, called a video": _called(_still(".jpg", exif=_exif()), ".avi"),
    "avif exif": _still(".avif", exif=_exif()),
    "webp exif": _still(".webp", exif=_exif()),
    "mov xmp, called avi": _called(
        _boxed(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + f"<x:xmpmeta>{WHO}".encode()), ".avi"
    ),
    "jpeg comment": _still(".jpg", comment=WHO.encode()),
    "jpeg xmp": _still(".jpg", xmp=f"<x:xmpmeta>{WHO}</x:xmpmeta>".encode()),
    "png text": _still(".png", pnginfo=_png_text()),
    "tiff description": _still(".tif", description=WHO),
    "gif comment": _gif,
    "nifti descrip": _field("descrip"),
    "nifti aux_file": _field("aux_file"),
    "nifti db_name": _field("db_name"),
    "nifti extension": _nifti(_extension),
    "metaimage key": _metaimage,
    "file name": _named("Mustermann_Erika.gif"),
    "folder name": _named("MUSTERMANN^ERIKA/clip.gif"),
    "date in a name": _named("1964-08-12.gif"),
    "burnt in": _burnt_in,
    "burnt into a still": _burnt_in_still,
}


def plant(folder: Path, name: str) -> Path:
    """Write the clip of one identifier into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return PLANTED[name](folder / "clip")
