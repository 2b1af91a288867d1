# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The squares that a segmenter sees, and its classes back at the size of the clip."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from torch import Tensor
from torch.nn import functional as F

from monai_feat.transforms.functional import resize_clip, to_channels, to_unit_range
from monai_feat.transforms.video.meta import carry_meta, plain

__all__ = ["SquareFramesd", "UnsquareClassesd", "square_frames", "unsquare_classes", "unsquare_scores"]

_SHAPE = "shape_before_square"  # frames of a clip, rows, columns


def square_frames(frames: Tensor, size: int, channels: int) -> Tensor:
    """Bring frames to a square on black, whole and undistorted, and to grey or RGB.

    Args:
        frames: uint8 ``(C, T, H, W)`` or ``(C, H, W)``, C = 1 or 3.
        size: rows and columns S of the square.
        channels: 1 for grey (luma), 3 for RGB.

    Returns:
        uint8 ``(channels, T, S, S)`` or ``(channels, S, S)``.
    """
    return to_channels(resize_clip(frames, size, "pad"), channels)


def unsquare_scores(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring scores back to the size that frames had before `square_frames`; inverts its geometry exactly.

    Args:
        scores: float ``(..., S, S)``, with one axis or more before the last two.
        size: rows and columns of the clip.

    Returns:
        ``(..., H, W)``.
    """
    side = scores.shape[-1]
    scale = min(side / length for length in size)
    height, width = (max(1, round(length * scale)) for length in size)
    top, left = (side - height) // 2, (side - width) // 2
    whole = scores[..., top : top + height, left : left + width].reshape(1, -1, height, width)
    resized = F.interpolate(whole, size, mode="bilinear", antialias=True, align_corners=False)
    return resized.reshape(*scores.shape[:-2], *size)


def unsquare_classes(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Likeliest classes at the size that frames had before `square_frames`.

    Args:
        scores: logits or probabilities, ``(K, T, S, S)``.
        size: rows and columns of the clip.

    Returns:
        uint8 ``(1, T, H, W)``.
    """
    # One frame at a time: all classes of a long clip at full size would not fit into memory.
    frames = [unsquare_scores(frame, size).argmax(0) for frame in scores.unbind(1)]
    return torch.stack(frames)[None].to(torch.uint8)


class SquareFramesd(MapTransform):
    """Bring clips as `monai_feat.data.load_clip` reads them to what a segmenter takes, by `square_frames`, in [-1, 1].

    A still becomes a clip of one frame. The metadata say how large the clip was, for `UnsquareClassesd`.

    Args:
        keys: of clips, uint8 ``(C, T, H, W)``, or of stills, ``(C, H, W)``.
        size: rows and columns.
        channels: 1 for grey, 3 for RGB.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(self, keys: KeysCollection, size: int, channels: int, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.size, self.channels = size, channels

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform the clips of an item."""
        item = dict(data)
        for key in self.key_iterator(item):
            frames = plain(item[key])
            pixels = square_frames(frames if frames.ndim == 4 else frames[:, None], self.size, self.channels)
            item[key] = carry_meta(item[key], to_unit_range(pixels), {_SHAPE: tuple(frames.shape[1:])})
        return item


class UnsquareClassesd(MapTransform):
    """Turn scores into a mask of the shape of the clip or still that they were made from, with its metadata.

    Args:
        keys: of scores, ``(K, T, S, S)``.
        source_key: the clip after `SquareFramesd`.
        allow_missing_keys: do not raise where an item has not all keys.

    Raises:
        ValueError: on call, the metadata of the clip do not say what shape it had.
    """

    def __init__(self, keys: KeysCollection, source_key: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform the scores of an item."""
        item = dict(data)
        source = item[self.source_key]
        meta = dict(source.meta) if isinstance(source, MetaTensor) else {}
        if _SHAPE not in meta:
            raise ValueError(
                f"{self.source_key!r} does not say what shape the clip had: apply SquareFramesd before, and keep its "
                "metadata"
            )
        if meta.get("original_affine") is not None:
            meta["affine"] = meta["original_affine"]
        *time, rows, columns = (int(length) for length in meta[_SHAPE])
        for key in self.key_iterator(item):
            mask = unsquare_classes(plain(item[key]).cpu(), (rows, columns))
            item[key] = MetaTensor(mask if time else mask[:, 0], meta=meta)
        return item
