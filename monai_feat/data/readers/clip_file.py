# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What all formats have in common: a clip on disk that is counted when opened and decoded frame by frame."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from monai_feat.data.frame_numbers import check_numbers, read_frames
from monai_feat.data.video_stream import MAX_PIXELS, VideoReadError

__all__ = ["UNKNOWN_SPACING", "ClipFile", "as_read_error", "exact_uint8", "one_line"]

UNKNOWN_SPACING = (float("nan"), float("nan"))


class ClipFile(ABC):
    """One clip on disk. Opening reads what the file says about itself; pixels are decoded when they are asked for.

    Args:
        path: the file, or the folder of frames.
        frames: number of frames.
        frame_rate: mean frame rate in Hz; 0.0 where there is none, as for a still.
        size: rows and columns of a frame, in pixels.
        channels: 3 for colour (RGB), 1 for grey.
        spacing: height and width of a pixel in mm; NaN where the file does not say.

    Raises:
        VideoReadError: there is no frame, or frames are larger than any device makes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        frames: int,
        frame_rate: float,
        size: tuple[int, int],
        channels: int = 3,
        spacing: tuple[float, float] = UNKNOWN_SPACING,
    ) -> None:
        if min(frames, *size) < 1:
            raise VideoReadError(path, f"has no frames ({frames} of {size[0]} x {size[1]} pixels)")
        if size[0] * size[1] > MAX_PIXELS:
            raise VideoReadError(path, f"is damaged: it claims frames of {size[0]} x {size[1]} pixels")
        self.path = Path(path)
        self.frames, self.frame_rate, self.size = frames, frame_rate, size
        self.channels, self.spacing = channels, spacing

    @abstractmethod
    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        """Yield the frames with these strictly increasing numbers, all of which exist, as uint8 ``(C, H, W)``."""

    def iter_frames(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        """Yield single frames, one in memory at a time.

        Args:
            numbers: strictly increasing frame numbers, from 0.

        Yields:
            uint8 tensors ``(C, H, W)`` in [0, 255], one for each number.

        Raises:
            VideoReadError: the file cannot be decoded, or has not all these frames.
            ValueError: `numbers` do not increase strictly from 0 or more.
        """
        check_numbers(self.path, numbers, self.frames)
        yield from self._decode(numbers)

    def read(self, start: int = 0, num_frames: int | None = None, stride: int = 1) -> Tensor:
        """Read frames ``start, start + stride, …``.

        Args:
            start: number of the first frame, from 0.
            num_frames: frames to return; ``None`` reads to the end.
            stride: step between frames, in frames of the file.

        Returns:
            uint8 tensor ``(C, T, H, W)`` in [0, 255].

        Raises:
            VideoReadError: the file cannot be decoded, has fewer frames than asked for, or more than fit into memory.
            ValueError: `start`, `num_frames` or `stride` is out of range.
        """
        return read_frames(self.path, self.frames, self.iter_frames, start, num_frames, stride)


def exact_uint8(path: str | os.PathLike[str], pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Turn pixels of any type into uint8 where that loses nothing.

    Raises:
        VideoReadError: a pixel is no whole number from 0 to 255.
    """
    if pixels.dtype == np.uint8:
        return pixels
    with np.errstate(invalid="ignore"):
        as_uint8 = pixels.astype(np.uint8)
    if not (pixels == as_uint8).all():
        raise VideoReadError(
            path,
            f"holds {pixels.dtype} values from {pixels.min():g} to {pixels.max():g}; a clip has whole numbers from 0 "
            "to 255: map them there first (MONAI's ScaleIntensityRange) and save again",
        )
    return as_uint8


@contextmanager
def as_read_error(path: str | os.PathLike[str], reason: str) -> Iterator[None]:
    """Errors inside the block, of which libraries have dozens of types for bad bytes, become one-line errors.

    Raises:
        VideoReadError: the reason, and what the library said.
    """
    try:
        yield
    except VideoReadError:
        raise
    except Exception as error:
        raise VideoReadError(path, f"{reason} ({one_line(error)})") from error


def one_line(error: BaseException) -> str:
    """An error's message as one line, shortened; its type where it has none."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if len(line) <= 160 else f"{line[:157]}..."
