# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The masks of clips on disk: read frame by frame, checked against their clip, and cropped along with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.load import open_clip
from monai_feat.data.video_reader import VideoReadError
from monai_feat.transforms.labels import check_classes

__all__ = ["MaskFile", "crop_like", "crop_of"]

_TWO_CLASSES = 2
_CLEAR = 32  # grey levels around black and white that JPEG and video put there
_MOST_UNCLEAR = 0.01  # share of the pixels, at the edges of structures
_WHOLE_PIXEL = 1e-3


class MaskFile:
    """The mask of a clip in a file of its own, of the same size and length, in any format that `open_clip` reads.

    Pixels are classes, from 0. Where there are only two, black and white are 0 and 1 as well; then the format may be
    lossy, as JPEG is.

    Args:
        path: the file, or a folder of frames.
        clip: what it belongs to.
        label_channels: number of classes, the background among them.

    Raises:
        VideoReadError: it cannot be read, or has another size or length than the clip.
    """

    def __init__(self, path: Path, clip: ClipFile, label_channels: int) -> None:
        self.file = open_clip(path)
        self.label_channels = label_channels
        if (self.file.frames, self.file.size) != (clip.frames, clip.size):
            mine, its = (f"{file.frames} frames of {file.size[0]} x {file.size[1]}" for file in (self.file, clip))
            raise VideoReadError(path, f"is a mask of {mine} pixels; its clip {clip.path} has {its}")

    def iter_frames(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        """Yield the classes of single frames, uint8 ``(1, H, W)``.

        Raises:
            VideoReadError: a frame cannot be read, is coloured, or holds a class that is not known.
        """
        for number, frame in zip(numbers, self.file.iter_frames(numbers), strict=True):
            if not (frame == frame[:1]).all():
                raise VideoReadError(self.file.path, f"is no mask: frame {number} is coloured; expected grey classes")
            try:
                yield self._classes(frame[:1])
            except ValueError as error:
                raise VideoReadError(self.file.path, f"frame {number}: {error}") from None

    def _classes(self, frame: Tensor) -> Tensor:
        if self.label_channels == _TWO_CLASSES and frame.max() > 1:
            unclear = ((frame >= _CLEAR) & (frame <= 255 - _CLEAR)).float().mean().item()
            if unclear > _MOST_UNCLEAR:
                raise ValueError(f"expected 0 and 1, or black and white; {unclear:.0%} of the pixels are grey")
            return (frame > 127).to(torch.uint8)
        if 255 in frame:
            raise ValueError("holds the class 255; number the classes from 0")
        check_classes(frame, self.label_channels)
        return frame


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
