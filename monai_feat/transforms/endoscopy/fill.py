# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Holes in a picture, filled from what is around them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.transforms.functional import black_level

__all__ = ["fill_from_around"]


def fill_from_around(pixels: Tensor, hole: Tensor, unknown: Tensor | None = None) -> Tensor:
    """Fill a hole smoothly with the mean colours around it, near its edge those nearest to it.

    Pull-push interpolation (Gortler et al., The Lumigraph, 1996, section 3.4): known pixels are averaged at coarser and
    coarser scales, and each unknown one is taken from the finest scale at which something near it is known.

    Args:
        pixels: ``(C, T, H, W)``; uint8 in [0, 255] or float.
        hole: boolean ``(H, W)``, True where pixels are replaced, in all frames.
        unknown: boolean ``(H, W)``, True where pixels neither change nor count as what is around, such as the surround
            of a field of view.

    Returns:
        Pixels of the same shape and type, the same outside the hole; where nothing at all is known, the lowest value.

    Raises:
        ValueError: a mask has not the size of the frames.
    """
    for mask in (hole, unknown):
        if mask is not None and mask.shape != pixels.shape[-2:]:
            raise ValueError(f"expected masks of {tuple(pixels.shape[-2:])} pixels, got {tuple(mask.shape)}")
    known = ~(hole if unknown is None else hole | unknown)
    if not hole.any() or not known.any():
        return pixels.masked_fill(hole, black_level(pixels))
    flat = pixels.reshape(1, -1, *pixels.shape[-2:]).float()  # (1, C·T, H, W)
    filled = _filled(flat, known[None, None].float()).reshape(pixels.shape)
    if not pixels.is_floating_point():
        filled = filled.round().clamp(0, 255)
    return torch.where(hole, filled.to(pixels.dtype), pixels)


def _filled(values: Tensor, weight: Tensor) -> Tensor:
    """Values ``(1, N, H, W)`` where the weight ``(1, 1, H, W)`` is above 0, and interpolated ones elsewhere."""
    known = weight > 0
    if known.all():
        return values
    amount = F.avg_pool2d(weight, 2, ceil_mode=True)
    coarse = F.avg_pool2d(values * weight, 2, ceil_mode=True) / amount.clamp_min(torch.finfo(weight.dtype).tiny)
    around = F.interpolate(
        _filled(coarse, amount.clamp_max(1.0)), values.shape[-2:], mode="bilinear", align_corners=False
    )
    return torch.where(known, values, around)
