# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Pure functions on pixels of clips: one resampler and one rounding, used wherever pixels change size or type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "Fit",
    "black_level",
    "resize_clip",
    "rgb_to_grey",
    "to_channels",
    "to_levels",
    "to_uint8",
    "to_unit_range",
]

Fit = Literal["crop", "pad"]

# ITU-R BT.601 luma, the weights of JPEG and of most video.
_LUMA = (0.299, 0.587, 0.114)


def to_unit_range(pixels: Tensor) -> Tensor:
    """Map uint8 pixels in [0, 255] to float32 in [-1, 1].

    Raises:
        TypeError: `pixels` are not uint8.
    """
    if pixels.dtype != torch.uint8:
        raise TypeError(f"expected uint8 pixels in [0, 255], got {pixels.dtype}")
    return pixels.float().div_(127.5).sub_(1.0)


def to_uint8(pixels: Tensor) -> Tensor:
    """Map float pixels in [-1, 1] to uint8 in [0, 255], rounding to the nearest level and clipping what lies outside.

    Inverts `to_unit_range` exactly. Truncation, usual elsewhere, would darken by half a level on average.

    Raises:
        TypeError: `pixels` are not of a float type.
        ValueError: a pixel is NaN.
    """
    if not pixels.is_floating_point():
        raise TypeError(f"expected float pixels in [-1, 1], got {pixels.dtype}")
    if pixels.isnan().any():
        raise ValueError(f"expected pixels in [-1, 1], got NaN in {int(pixels.isnan().sum())} of {pixels.numel()}")
    return pixels.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def to_levels(pixels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Map pixels, uint8 or float in [-1, 1], to levels in [0, 255] of a float type, without rounding."""
    levels = pixels.to(dtype)
    return levels if pixels.dtype == torch.uint8 else (levels + 1) * 127.5


def black_level(pixels: Tensor) -> float:
    """Value of black, the lowest: 0 for uint8, -1 for float."""
    return -1.0 if pixels.is_floating_point() else 0.0


def rgb_to_grey(clip: Tensor) -> Tensor:
    """Luma of an RGB clip, by ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B, rounded to the nearest level.

    Args:
        clip: uint8 tensor ``(3, ..., H, W)``.

    Returns:
        uint8 tensor ``(1, ..., H, W)``.

    Raises:
        ValueError: `clip` has not three channels.
    """
    if clip.shape[0] != 3:
        raise ValueError(f"expected a clip of 3 channels (3, ..., H, W), got shape {tuple(clip.shape)}")
    luma: Tensor = torch.tensordot(torch.tensor(_LUMA), clip.float(), dims=1)
    return luma.round_().to(clip.dtype)[None]


def to_channels(clip: Tensor, channels: int) -> Tensor:
    """Bring a clip to grey, its luma, or to RGB of equal channels; one that has so many channels stays as it is.

    Args:
        clip: uint8 tensor ``(C, ..., H, W)``, C = 1 or 3.
        channels: 1 for grey, 3 for RGB.

    Returns:
        uint8 tensor ``(channels, ..., H, W)``.
    """
    if len(clip) == channels:
        return clip
    return clip.expand(3, *clip.shape[1:]) if channels == 3 else rgb_to_grey(clip)


def resize_clip(clip: Tensor, size: int | Sequence[int], fit: Fit = "crop") -> Tensor:
    """Resize all frames to one size without distortion, by antialiased bilinear interpolation.

    Args:
        clip: tensor ``(C, T, H, W)``, or one frame ``(C, H, W)``; uint8 in [0, 255] or float.
        size: rows and columns of the result; one number for both.
        fit: ``"crop"`` covers the new frame and cuts off what protrudes, equally on both sides (endoscopy: the centre
            matters); ``"pad"`` keeps the whole frame and fills the rest with the lowest value, 0 for uint8 and -1 for
            float (ultrasound: the sector stays whole).

    Returns:
        Tensor of the same type and number of dimensions, ``(C, T, *size)`` or ``(C, *size)``.

    Raises:
        ValueError: the shape, `size` or `fit` is not as described.
    """
    height, width = (size, size) if isinstance(size, int) else tuple(size)
    if fit not in get_args(Fit):
        raise ValueError(f"expected fit to be one of {get_args(Fit)}, got {fit!r}")
    if clip.ndim not in (3, 4) or min(height, width, *clip.shape) < 1:
        raise ValueError(f"expected a clip (C, T, H, W) and a size >= 1, got {tuple(clip.shape)} and {(height, width)}")
    ratios = (height / clip.shape[-2], width / clip.shape[-1])
    scale = max(ratios) if fit == "crop" else min(ratios)
    inner = (max(1, round(clip.shape[-2] * scale)), max(1, round(clip.shape[-1] * scale)))
    return _place(_interpolate(clip, inner), (height, width))


def _interpolate(clip: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(clip.shape[-2:]) == size:
        return clip
    frames = clip.reshape(-1, 1, *clip.shape[-2:]).float()  # (C·T, 1, H, W)
    frames = F.interpolate(frames, size, mode="bilinear", antialias=True, align_corners=False)
    if not clip.is_floating_point():
        frames = frames.round_().clamp_(0, 255)
    return frames.reshape(*clip.shape[:-2], *size).to(clip.dtype)


def _place(clip: Tensor, size: tuple[int, int]) -> Tensor:
    """Centre a clip in frames of `size`: what protrudes is cut off, what is missing is filled with the lowest value."""
    rows, columns = (wanted - have for wanted, have in zip(size, clip.shape[-2:], strict=True))
    # Negative padding crops.
    pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return F.pad(clip, pads, value=black_level(clip))
