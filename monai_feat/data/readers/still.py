# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Still pictures and animations of pictures, by Pillow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps
from torch import Tensor

from monai_feat.data.limits import check_decoding, check_frames
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import ClipFile, as_read_error
from monai_feat.data.readers.picture_pixels import depth_of, stored_values, with_three_colours
from monai_feat.data.video_container import file_status

__all__ = ["StillFile", "is_still", "opened_picture"]

# Pillow's names of the formats, MPO among JPEG; others, some of which would start programs, are not tried.
_FORMATS = ("BMP", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP", "AVIF")
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|BM|II[*+]\0|MM\0[*+]|RIFF.{4}WEBP|\0\0\0\x0cjP  |\xff\x4f\xff\x51|P[1-6]\s"
    rb"|.{4}ftyp(avi[fs]|mif1|msf1|hei[cmsx]|hev[cmsx])",  # HEIF, of which FFmpeg would show single tiles
    re.DOTALL,
)
# A Motion JPEG stream begins as a JPEG does, and goes on.
_STREAMS_OF_JPEG = (".mjpeg", ".mjpg")
_LOSSY_FORMATS = ("JPEG", "MPO")
_ANIMATED_FORMATS = ("PNG", "WEBP", "AVIF")
_ON_ITS_SIDE = (5, 6, 7, 8)
_MS_PER_SECOND = 1000


class StillFile(ClipFile):
    """A picture, which is a clip of one frame, or an animation in WebP, AVIF or PNG; always RGB.

    Pictures are turned as their EXIF orientation says. Transparent pixels are shown on black. Grey levels of 16 bits
    are reduced as in `reduced_uint16`. Of pictures in an MPO file the first is read.

    Raises:
        VideoReadError: the file is missing, damaged or no picture, or its pixels have no agreed way to 8 bits.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        with opened_picture(path) as file, as_read_error(path, "is damaged"):
            frames = getattr(file, "n_frames", 1) if file.format in _ANIMATED_FORMATS else 1
            # An APNG file may hold a picture for programs that show no animations.
            self._first = int(frames > 1 and bool(file.info.get("default_image")))
            self._depth, is_lossy, size = depth_of(file), file.format in _LOSSY_FORMATS, _shown_size(file)
        super().__init__(path, frames - self._first, 0.0, size)
        self.is_lossy = is_lossy
        if self.frames > 1:
            check_decoding(path, self.frames, size)
            self.frame_rate = self._possible_rate(self._mean_rate())

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for number, picture in self._pictures(numbers):
            with as_read_error(self.path, f"is damaged or not supported: picture {number}"):
                values = stored_values(self.path, picture)
            yield torch.from_numpy(values)

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for number, picture in self._pictures(numbers):
            with as_read_error(self.path, f"is damaged or not supported: picture {number}"):
                pixels = with_three_colours(self.path, picture, self._depth)
            yield torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))

    def _pictures(self, numbers: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
        """Number and picture, turned as it is to be shown."""
        with opened_picture(self.path) as file:
            for number in numbers:
                with as_read_error(self.path, f"is damaged: picture {number} cannot be decoded"):
                    picture = self._picture(file, number)
                    if (picture.height, picture.width) != self.size:
                        raise VideoReadError(self.path, f"changes its size at picture {number}; split it there")
                yield number, picture

    def _picture(self, file: Image.Image, number: int) -> Image.Image:
        file.seek(self._place(number))
        check_frames(self.path, 1, (file.height, file.width))
        return ImageOps.exif_transpose(file) if ExifTags.Base.Orientation in file.getexif() else file

    def _place(self, number: int) -> int:
        """Where a frame is among the file's pictures."""
        return self._first + number

    def _mean_rate(self) -> float:
        """Frames per second between the first and the last frame; 0.0 where a frame is shown for no time."""
        shown_for = []
        with opened_picture(self.path) as file, as_read_error(self.path, "is damaged"):
            for number in range(self.frames - 1):
                file.seek(self._place(number))
                file.load()  # WebP and AVIF say so only then
                shown_for.append(float(file.info.get("duration") or 0))
        return _MS_PER_SECOND * len(shown_for) / sum(shown_for) if all(shown_for) else 0.0


def is_still(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as pictures do, whatever its name."""
    try:
        # A pipe would wait for its other end.
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return bool(_SIGNATURE.match(head)) and Path(path).suffix.lower() not in _STREAMS_OF_JPEG


def _shown_size(file: Image.Image) -> tuple[int, int]:
    """Rows and columns after turning."""
    # Pillow swaps the sides of a TIFF file itself.
    is_swapped = file.format != "TIFF" and file.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE
    return (file.width, file.height) if is_swapped else (file.height, file.width)


@contextmanager
def opened_picture(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """A picture whose header was read, and whose pixels were not."""
    file_status(path)
    # Handed a path, Pillow maps the file, and then mixes up rows and columns of a TIFF file that lies on its side.
    with Path(path).open("rb") as file:
        with as_read_error(path, "is not a picture that can be read"):
            picture = Image.open(file, formats=_FORMATS)
        check_frames(path, 1, (picture.height, picture.width))
        yield picture
