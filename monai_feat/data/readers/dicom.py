# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM cine and stills, by pydicom."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.utils import iter_pixels, pixel_array
from pydicom.uid import UID
from torch import Tensor

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import ClipFile, as_read_error, one_line
from monai_feat.data.readers.dicom_header import cine_rate, pixel_spacing
from monai_feat.data.readers.dicom_jpeg import DECODERS
from monai_feat.data.readers.dicom_pixels import COLOUR, MONOCHROME, shown_pixels

__all__ = ["DicomFile", "dicom_modality", "is_dicom"]

# A frame of less than this many bytes cannot be: its item header alone takes eight.
_SMALLEST_FRAME = 8


class DicomFile(ClipFile):
    """A DICOM image of one or many frames: ultrasound, endoscopy, angiography and the like.

    Reads uncompressed, RLE, JPEG (baseline, extended, lossless), JPEG-LS and JPEG 2000 pixels that are RGB, YBR, a
    palette or monochrome. Monochrome gives one channel, all else three. Monochrome pixels of any depth go through the
    file's rescaling and first window, or, without a window, from the full range of their bits to 0 … 255; colour has
    8 bits.

    Raises:
        VideoReadError: the file is missing, damaged or no DICOM image, or its pixels are of another kind.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._header, self._pixels_at = _read_header(path)
        with as_read_error(path, "is DICOM with a damaged header"):
            _check_kind(path, self._header)
            frames = int(self._header.get("NumberOfFrames") or 1)
            size = (int(self._header.Rows), int(self._header.Columns))
            is_grey = self._header.PhotometricInterpretation in MONOCHROME
            rate, spacing = cine_rate(self._header, frames), pixel_spacing(self._header)
            syntax = UID(self._header.file_meta.TransferSyntaxUID)
            self._is_compressed, is_deflated = syntax.is_compressed, syntax.is_deflated
            self._decoder = DECODERS.get(syntax, "")
            frame_bits = size[0] * size[1] * int(self._header.SamplesPerPixel) * int(self._header.BitsAllocated)
        super().__init__(path, frames, rate, size, 1 if is_grey else 3, spacing)
        # A deflated file is packed as a whole: its pixels have no place and no length of their own.
        if not is_deflated:
            self._check_length(frame_bits // 8)

    def _check_length(self, frame_bytes: int) -> None:
        if self._is_compressed:
            frame_bytes = _SMALLEST_FRAME
        elif self._header.PhotometricInterpretation == "YBR_FULL_422":
            frame_bytes = frame_bytes * 2 // 3
        there, needed = self.path.stat().st_size - self._pixels_at, self.frames * frame_bytes
        if there < needed:
            raise VideoReadError(
                self.path, f"is truncated: {there} of {needed} bytes of pixels are there; copy it again"
            )

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        with _opened(self.path) as file, closing(self._stored(file, numbers)) as frames:
            for number in numbers:
                with as_read_error(self.path, f"is damaged or not supported: frame {number} cannot be decoded"):
                    shown = shown_pixels(next(frames), self._header, is_raw=not self._is_compressed)
                    if shown.shape[1:] != self.size:
                        raise ValueError(f"{shown.shape[1]} x {shown.shape[2]} pixels in place of {self.size}")
                yield torch.from_numpy(np.array(shown))

    def _stored(self, file: Any, numbers: Sequence[int]) -> Generator[npt.NDArray[Any], None, None]:
        if self._is_compressed:
            yield from iter_pixels(file, indices=list(numbers), decoding_plugin=self._decoder)
            return
        # Iterating over uncompressed YBR, pydicom 3.0 takes all frames after the first for converted ones.
        for number in numbers:
            yield pixel_array(file, index=number, raw=True)


def is_dicom(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as DICOM files do (PS3.10 7.1), whatever its name."""
    try:
        with Path(path).open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def dicom_modality(path: str | os.PathLike[str]) -> str:
    """Modality of a DICOM file, such as ``US`` or ``CT``; empty where it has none.

    Raises:
        VideoReadError: the file is missing or no DICOM.
    """
    return str(_read_header(path)[0].get("Modality") or "")


class _Bounded(io.FileIO):
    """A file that is never asked for more than it has: damaged lengths would reserve gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        data: bytes | None = super().read(left if size is None or size < 0 else min(size, left))
        return data or b""


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    try:
        file = _Bounded(os.fspath(path))
    except OSError as error:
        raise VideoReadError(path, f"cannot be opened ({error.strerror})") from None
    with file:
        yield file


def _read_header(path: str | os.PathLike[str]) -> tuple[Dataset, int]:
    """All attributes but the pixels, and where those begin."""
    with _opened(path) as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise VideoReadError(path, "is empty (0 bytes)")
        try:
            return dcmread(file, stop_before_pixels=True), file.tell()
        except InvalidDicomError:
            raise VideoReadError(path, "is no DICOM file: it does not begin as one") from None
        except Exception as error:
            raise VideoReadError(path, f"is DICOM with a damaged header ({one_line(error)})") from error


def _check_kind(path: str | os.PathLike[str], header: Dataset) -> None:
    """Refuse what is no image, or whose pixels have no agreed way to 8 bits."""
    if "Rows" not in header or "PhotometricInterpretation" not in header:
        what = UID(str(header.get("SOPClassUID", ""))).name or "of no stated kind"
        raise VideoReadError(path, f"is DICOM without an image ({what})")
    syntax = UID(header.file_meta.TransferSyntaxUID)
    if "MPEG" in syntax.name or "HEVC" in syntax.name:
        raise VideoReadError(path, f"holds a video stream ({syntax.name}): extract it to an mp4 and read that")
    if syntax.is_compressed and syntax not in DECODERS:
        raise VideoReadError(path, f"is compressed in a way that no decoder here knows ({syntax.name})")
    photometric, bits = str(header.PhotometricInterpretation), int(header.BitsAllocated)
    if photometric not in (*COLOUR, *MONOCHROME, "PALETTE COLOR"):
        raise VideoReadError(path, f"has {photometric} pixels; expected {', '.join(COLOUR + MONOCHROME)} or a palette")
    if bits not in ((8,) if photometric in COLOUR else (8, 16)):
        raise VideoReadError(
            path, f"has {photometric} pixels of {bits} bits; expected 8, or up to 16 in monochrome: convert it first"
        )
