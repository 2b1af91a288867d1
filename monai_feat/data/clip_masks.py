# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The masks of clips on disk: read frame by frame, checked against their clip, and cropped along with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_feat.data.datalist import DatalistError
from monai_feat.data.mask_values import Legend, coded_values, read_values, value_shares
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.load import open_clip

__all__ = ["MaskFile", "MaskReadings", "crop_like", "crop_of"]

_WHOLE_PIXEL = 1e-3


class MaskFile:
    """The mask of a clip in a file of its own, of the same size and length, in any format that `open_clip` reads.

    All frames are looked at once, before the first is read, to learn what their values stand for: see `read_values`.

    Args:
        path: the file, or a folder of frames.
        clip: what it belongs to.
        label_channels: number of classes, the background among them.
        legend: classes by value or colour, where the values do not speak for themselves.

    Attributes:
        reading: which class each value stands for.

    Raises:
        VideoReadError: it cannot be read, has another size or length than the clip, or values that are not understood.
    """

    def __init__(self, path: Path, clip: ClipFile, label_channels: int, legend: Legend | None = None) -> None:
        self.file = open_clip(path)
        self.label_channels = label_channels
        if (self.file.frames, self.file.size) != (clip.frames, clip.size):
            mine, its = (f"{file.frames} frames of {file.size[0]} x {file.size[1]}" for file in (self.file, clip))
            raise VideoReadError(path, f"is a mask of {mine} pixels; its clip {clip.path} has {its}")
        try:
            self.reading = read_values(self._shares(), label_channels, self.file.is_lossy, legend)
        except VideoReadError:
            raise
        except ValueError as error:
            raise VideoReadError(path, f"cannot be read as a mask: it {error}") from None

    def iter_frames(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        """Yield the classes of single frames, uint8 ``(1, H, W)``; `UNKNOWN_LABEL` where nobody knows.

        Raises:
            VideoReadError: a frame cannot be read, or holds a structure that is neither black nor white.
        """
        for number, frame in zip(numbers, self.file.iter_values(numbers), strict=True):
            yield self._classes(number, coded_values(frame, self.file.is_lossy))

    def _classes(self, number: int, values: Tensor) -> Tensor:
        try:
            return self.reading.apply(values)
        except ValueError as error:
            raise VideoReadError(self.file.path, f"frame {number}: {error}") from None

    def _shares(self) -> dict[int, float]:
        """Shares of the pixels of all frames, by value."""
        counts: Counter[int] = Counter()
        for frame in self.file.iter_values(range(self.file.frames)):
            values, pixels = coded_values(frame, self.file.is_lossy).unique(return_counts=True)
            counts.update(dict(zip(values.tolist(), pixels.tolist(), strict=True)))
        return value_shares(counts)


class MaskReadings:
    """What the masks of one data set are read as, so that one value never stands for two classes in it."""

    def __init__(self) -> None:
        self._seen: dict[str, Path] = {}

    def add(self, reading: str, path: Path) -> None:
        """Take note of one more mask.

        Args:
            reading: how it is read, `MaskFile.reading.how`.
            path: its file.

        Raises:
            DatalistError: it is read in another way than one before.
        """
        how = reading.partition(",")[0]
        if how == "background only":
            return
        self._seen.setdefault(how, path)
        if len(self._seen) > 1:
            (one, first), (other, second) = list(self._seen.items())[:2]
            raise DatalistError(
                f"{second} is read as a mask of {other}, and {first} as one of {one}: the same value may stand for two "
                "classes; say what values stand for with a legend, legend={value: class, …}"
            )


def crop_of(before: MetaTensor, after: Tensor) -> tuple[int, int, int, int]:
    """Find which box of a clip a transform has kept, by the affines that MONAI's and our crops keep right.

    Args:
        before: the clip, ``(C, T, H, W)``.
        after: what came out of the transform.

    Returns:
        First row, first column, rows and columns of the box.

    Raises:
        ValueError: the transform has done something else than to crop.
    """
    height, width = after.shape[-2:]
    row, column = 0, 0
    if isinstance(after, MetaTensor):
        change = torch.linalg.solve(before.affine, after.affine)
        row, column = (round(float(start)) for start in change[-3:-1, -1])
        expected = torch.eye(len(change), dtype=change.dtype)
        expected[-3:-1, -1] = torch.tensor([row, column], dtype=change.dtype)
        only_cropped = bool(((change - expected).abs() < _WHOLE_PIXEL).all())
    else:
        only_cropped = after.shape[-2:] == before.shape[-2:]
    inside = 0 <= row <= before.shape[-2] - height and 0 <= column <= before.shape[-1] - width
    if not (only_cropped and inside):
        raise ValueError(
            f"preprocessing made {tuple(after.shape)} of {tuple(before.shape)} in a way that masks cannot follow: with "
            "label_channels it may change pixels and crop, and must keep the affine of a MetaTensor right"
        )
    return row, column, height, width


def crop_like(labels: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """Crop ``(..., H, W)`` to a box that `crop_of` has found."""
    row, column, height, width = box
    return labels[..., row : row + height, column : column + width]
