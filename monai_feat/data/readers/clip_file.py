# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What all formats have in common: a clip on disk that is counted when opened and decoded frame by frame."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from monai_feat.data.frame_numbers import check_numbers, read_frames
from monai_feat.data.limits import PIXELS_PER_BYTE, check_frames, check_tensor
from monai_feat.data.read_error import VideoReadError, shown_path

__all__ = ["UNKNOWN_SPACING", "ClipFile", "as_read_error", "one_line", "warn_of_remarks"]

UNKNOWN_SPACING = (float("nan"), float("nan"))
# From a picture in three hours to ultrafast ultrasound; from a fine microscope to a field of a metre a pixel.
_LOWEST_RATE, _HIGHEST_RATE = 1e-4, 1e5
_FINEST_MM, _COARSEST_MM = 1e-6, 1e3


class ClipFile(ABC):
    """One clip on disk. Opening reads what the file says about itself; pixels are decoded when they are asked for.

    Args:
        path: the file, or the folder of frames.
        frames: number of frames.
        frame_rate: mean frame rate in Hz; 0.0 where there is none, as for a still.
        size: rows and columns of a frame, in pixels.
        channels: 3 for colour (RGB), 1 for grey.
        spacing: height and width of a pixel in mm; NaN where the file does not say.

    Attributes:
        is_lossy: whether the format is one that changes pixels, so that classes and colours come back inexactly.
        remarks: what a viewer would do to the frames that readers do not, and what the file says that cannot be, in
            sentences that end without a stop; see `warn_of_remarks`.

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
        check_frames(path, frames, size)
        self.path = Path(path)
        self.frames, self.size, self.channels = frames, size, channels
        self.is_lossy = False
        self.remarks: tuple[str, ...] = ()
        self.frame_rate, self.spacing = self._possible_rate(frame_rate), self._possible_spacing(spacing)

    def _possible_rate(self, rate: float) -> float:
        """The rate, or 0.0 and a remark in the place of one that no device has."""
        if rate == 0 or _LOWEST_RATE <= rate <= _HIGHEST_RATE:
            return rate
        self.remarks += (f"it says {rate:g} frames per second, which cannot be and is not used",)
        return 0.0

    def _possible_spacing(self, spacing: tuple[float, float]) -> tuple[float, float]:
        """The spacing, or NaN and a remark in the place of one that no device has."""
        if all(step != step or _FINEST_MM <= step <= _COARSEST_MM for step in spacing):
            return spacing
        self.remarks += (f"it says pixels of {spacing[0]:g} x {spacing[1]:g} mm, which cannot be and is not used",)
        return UNKNOWN_SPACING

    pixels_per_byte = PIXELS_PER_BYTE
    """How many bytes of pixels a byte of the file may stand for."""

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
        with as_read_error(self.path, "is damaged or not supported"):
            yield from self._decode(numbers)

    def iter_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        """Yield what the file stores for single frames, before it is made visible: the classes of a mask, of any depth.

        Args:
            numbers: strictly increasing frame numbers, from 0.

        Yields:
            int32 tensors ``(1, H, W)``, or ``(3, H, W)`` for colours, one for each number.

        Raises:
            VideoReadError: the file cannot be decoded, has not all these frames, or stores no whole numbers.
            ValueError: `numbers` do not increase strictly from 0 or more.
        """
        check_numbers(self.path, numbers, self.frames)
        with as_read_error(self.path, "is damaged or not supported"):
            yield from self._decode_values(numbers)

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        """Yield the stored values of the frames with these numbers; see `iter_values`."""
        yield from (frame.int() for frame in self._decode(numbers))

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
        wanted = num_frames if num_frames is not None else -(-(self.frames - start) // max(1, stride))
        check_tensor(self.path, wanted, self.channels * self.size[0] * self.size[1], self.pixels_per_byte)
        return read_frames(self.path, self.frames, self.iter_frames, start, num_frames, stride)


def warn_of_remarks(remarks: Mapping[Path, Sequence[str]], stacklevel: int = 2) -> None:
    """Warn of what clips say that readers do not follow, once for each kind of remark.

    Args:
        remarks: `ClipFile.remarks` by file.
        stacklevel: as of `warnings.warn`.
    """
    by_text: dict[str, list[Path]] = {}
    for path, sentences in remarks.items():
        for sentence in sentences:
            by_text.setdefault(sentence, []).append(path)
    for sentence, paths in by_text.items():
        others = f" and {len(paths) - 1} of {len(remarks)} clips more" if len(paths) > 1 else ""
        warnings.warn(f"{shown_path(paths[0])}{others}: {sentence}", stacklevel=stacklevel + 1)


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
