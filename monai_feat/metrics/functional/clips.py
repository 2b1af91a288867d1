# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What measures of pixels share: the check of clips, and their luma."""

from __future__ import annotations

import torch
from torch import Tensor

from monai_feat.transforms.functional import rgb_to_grey

__all__ = ["check_clips", "check_pair", "luma"]


def check_clips(clips: Tensor, channels: tuple[int, ...] = (1, 3), min_frames: int = 1, min_side: int = 1) -> Tensor:
    """Return clips as they are if they are a batch that can be measured.

    Args:
        clips: uint8 ``(B, C, T, H, W)``.
        channels: allowed C.
        min_frames: smallest T.
        min_side: smallest H and W in pixels.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    shape = tuple(clips.shape)
    if clips.ndim != 5 or 0 in shape:
        raise ValueError(f"expected clips (B, C, T, H, W), got shape {shape}; clip[None] makes a batch of one clip")
    if clips.dtype != torch.uint8:
        raise TypeError(
            f"expected uint8 pixels in [0, 255], got {clips.dtype}; monai_feat.transforms.to_uint8 maps [-1, 1] to them"
        )
    if clips.shape[1] not in channels:
        raise ValueError(f"expected clips of {' or '.join(map(str, channels))} channels, got shape {shape}")
    if clips.shape[2] < min_frames:
        raise ValueError(f"expected clips of at least {min_frames} frames, got {clips.shape[2]} in shape {shape}")
    if min(clips.shape[3:]) < min_side:
        raise ValueError(f"expected frames of at least {min_side} x {min_side} pixels, got shape {shape}")
    return clips


def check_pair(first: Tensor, second: Tensor) -> None:
    """Check that two batches of clips hold the same clips in two versions.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shapes differ, or are not those of clips.
    """
    check_clips(first)
    check_clips(second)
    if first.shape != second.shape:
        raise ValueError(f"expected clips of one shape, got {tuple(first.shape)} and {tuple(second.shape)}")


def luma(clips: Tensor) -> Tensor:
    """Grey levels of clips: ITU-R BT.601 luma of RGB, grey as it is.

    Args:
        clips: uint8 ``(B, 1 or 3, T, H, W)``.

    Returns:
        float32 ``(B, 1, T, H, W)`` in [0, 255].
    """
    grey = rgb_to_grey(clips.transpose(0, 1)).transpose(0, 1) if clips.shape[1] == 3 else clips
    return grey.float()
