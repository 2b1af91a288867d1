# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM cine and stills, by pydicom."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels, pixel_array
from pydicom.uid import UID
from torch import Tensor

from monai_feat.data.dicom_bytes import is_dicom, opened_dicom
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import ClipFile, as_read_error, one_line
from monai_feat.data.readers.dicom_header import cine_rate, pixel_spacing
from monai_feat.data.readers.dicom_jpeg import DECODERS
from monai_feat.data.readers.dicom_pixels import COLOUR, MONOCHROME, RGB_IN_DISGUISE, shown_pixels
from monai_feat.data.readers.dicom_volume import check_number_of_frames, volume_of

__all__ = ["DicomFile", "dicom_modality", "is_dicom"]

# A frame of less than this many bytes cannot be: its item header alone takes eight.
_SMALLEST_FRAME = 8


class DicomFile(ClipFile):
    """A DICOM image of one or many frames: ultrasound, endoscopy, angiography and the like.

    Reads uncompressed, RLE, JPEG (baseline, extended, lossless), JPEG-LS and JPEG 2000 pixels that are RGB, YBR, a
    palette or monochrome. Monochrome gives one channel, all else three. Monochrome pixels of any depth go through the
    file's rescaling and first window, or, without a window, from the full range of their bits to 0 … 255; colour has
    8 bits.

    Args:
        path: the file.
        slice_index: which slice, from 0, of an Enhanced US Volume that holds several over time.

    Raises:
        VideoReadError: the file is missing, damaged or no DICOM image, or its pixels are of another kind.
    """

    def __init__(self, path: str | os.PathLike[str], slice_index: int | None = None) -> None:
        self._header, self._pixel_bytes = _read_header(path)
        with as_read_error(path, "is DICOM with a damaged header"):
            _check_kind(path, self._header)
            frames = int(self._header.get("NumberOfFrames") or 1)
            size = (int(self._header.Rows), int(self._header.Columns))
            is_grey = self._header.PhotometricInterpretation in MONOCHROME
            check_number_of_frames(path, frames, self._pixel_bytes)
            volume = volume_of(path, self._header, frames, slice_index)
            rate = cine_rate(self._header, frames) if volume is None else volume.frame_rate
            spacing = pixel_spacing(self._header) if volume is None else volume.spacing
            syntax = UID(self._header.file_meta.TransferSyntaxUID)
            self._is_compressed = syntax.is_compressed and not syntax.is_deflated
            self._decoder = DECODERS.get(syntax, "")
            frame_bits = size[0] * size[1] * int(self._header.SamplesPerPixel) * int(self._header.BitsAllocated)
        self._places = range(frames) if volume is None else volume.places
        super().__init__(path, len(self._places), rate, size, 1 if is_grey else 3, spacing)
        self.remarks += () if volume is None else volume.remarks
        self._check_length(frames, frame_bits // 8)

    def _check_length(self, frames: int, frame_bytes: int) -> None:
        """Compare the bytes of pixels that are there with those that so many frames take."""
        photometric = str(self._header.PhotometricInterpretation)
        if self._is_compressed:
            frame_bytes = _SMALLEST_FRAME
        elif photometric == "YBR_FULL_422":
            frame_bytes = frame_bytes * 2 // 3
        there, needed = self._pixel_bytes, frames * frame_bytes
        if there < needed:
            raise VideoReadError(
                self.path, f"is truncated: {there} of {needed} bytes of pixels are there; copy it again"
            )
        if not self._is_compressed and there >= needed + frame_bytes // 2:
            raise VideoReadError(
                self.path,
                f"contradicts itself: {frames} frames of {photometric} take {needed} bytes of pixels, and {there} "
                "are there; mend NumberOfFrames or PhotometricInterpretation",
            )
        if photometric == RGB_IN_DISGUISE:
            self.remarks += (f"it says {photometric}, which pixels of three bytes cannot be, and is read as RGB",)

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        with (
            opened_dicom(self.path) as file,
            closing(self._stored(file, numbers)) as frames,
        ):
            for number in numbers:
                with as_read_error(self.path, f"is damaged or not supported: frame {number} cannot be decoded"):
                    shown = shown_pixels(next(frames), self._header, is_raw=not self._is_compressed)
                    if shown.shape[1:] != self.size:
                        raise ValueError(f"{shown.shape[1]} x {shown.shape[2]} pixels in place of {self.size}")
                yield torch.from_numpy(np.array(shown))

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        if self.channels != 1:
            yield from super()._decode_values(numbers)
            return
        with (
            opened_dicom(self.path) as file,
            closing(self._stored(file, numbers)) as frames,
        ):
            yield from (torch.from_numpy(frame.astype(np.int32))[None] for frame in frames)

    def _stored(self, file: Any, numbers: Sequence[int]) -> Generator[npt.NDArray[Any], None, None]:
        places = [self._places[number] for number in numbers]
        if self._is_compressed:
            yield from iter_pixels(file, indices=places, decoding_plugin=self._decoder)
            return
        # Iterating over uncompressed YBR, pydicom 3.0 takes all frames after the first for converted ones.
        for place in places:
            yield pixel_array(file, index=place, raw=True)


def dicom_modality(path: str | os.PathLike[str]) -> str:
    """Modality of a DICOM file, such as ``US`` or ``CT``; empty where it has none.

    Raises:
        VideoReadError: the file is missing or no DICOM.
    """
    return str(_read_header(path)[0].get("Modality") or "")


def _read_header(path: str | os.PathLike[str]) -> tuple[Dataset, int]:
    """All attributes but the pixels, and how many bytes of pixels follow."""
    with opened_dicom(path) as file:
        try:
            header = dcmread(file, stop_before_pixels=True)
            return header, _bytes_of_pixels(file, header)
        except Exception as error:
            raise VideoReadError(path, f"is DICOM with a damaged header ({one_line(error)})") from error


def _bytes_of_pixels(file: BinaryIO, header: Dataset) -> int:
    """Length of Pixel Data, before which the file stands, as far as it is there."""
    syntax = UID(header.file_meta.TransferSyntaxUID)
    # Tag, VR, two bytes of nothing and length; without VR, tag and length (PS3.5 7.1).
    length_at = 4 if syntax.is_implicit_VR else 8
    begin = file.tell() + length_at + 4
    element = file.read(length_at + 4)
    said = int.from_bytes(element[length_at:], "little" if syntax.is_little_endian else "big")
    return min(said, max(0, file.seek(0, os.SEEK_END) - begin))


def _check_kind(path: str | os.PathLike[str], header: Dataset) -> None:
    """Refuse what is not an image, or whose pixels have no agreed way to 8 bits."""
    if "Rows" not in header or "PhotometricInterpretation" not in header:
        what = UID(str(header.get("SOPClassUID", ""))).name or "of no stated kind"
        raise VideoReadError(path, f"is DICOM without an image ({what})")
    syntax = UID(header.file_meta.TransferSyntaxUID)
    if syntax.is_compressed and not syntax.is_deflated and syntax not in DECODERS:
        raise VideoReadError(path, f"is compressed in a way that no decoder here knows ({syntax.name})")
    photometric, bits = str(header.PhotometricInterpretation), int(header.BitsAllocated)
    expected = 3 if photometric in COLOUR else 1
    if photometric not in (*COLOUR, *MONOCHROME, "PALETTE COLOR"):
        raise VideoReadError(path, f"has {photometric} pixels; expected {', '.join(COLOUR + MONOCHROME)} or a palette")
    if int(header.SamplesPerPixel) != expected:
        raise VideoReadError(path, f"has {header.SamplesPerPixel} samples of {photometric}; expected {expected}")
    if bits not in ((8,) if photometric in COLOUR else (8, 16)):
        raise VideoReadError(
            path, f"has {photometric} pixels of {bits} bits; expected 8, or up to 16 in monochrome: convert it first"
        )
