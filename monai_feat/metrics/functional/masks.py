# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How steady masks are over time: one value for each clip."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["mask_temporal_iou"]


def mask_temporal_iou(masks: Tensor) -> Tensor:
    """Intersection over union of the masks of neighbouring frames, averaged over the pairs of a clip.

    A structure that is missing from one frame of a pair counts 0; a pair of empty masks says nothing and is left out.
    Real structures move: compare with the value of real clips, of which 1 would be a frozen one.

    Args:
        masks: boolean or integer ``(B, 1, T, H, W)``, T ≥ 2; what is not 0 is the structure.

    Returns:
        In [0, 1], float64 ``(B,)``; NaN for a clip whose masks are all empty.

    Raises:
        TypeError: the masks are not boolean or integer.
        ValueError: the shape is not as described.

    Example:
        >>> import torch
        >>> masks = torch.zeros(1, 1, 2, 4, 4, dtype=torch.bool)
        >>> masks[..., 0, :2, :] = True
        >>> masks[..., 1, 1:3, :] = True
        >>> mask_temporal_iou(masks)
        tensor([0.3333], dtype=torch.float64)
    """
    if masks.is_floating_point() or masks.is_complex():
        raise TypeError(f"expected boolean or integer masks, got {masks.dtype}; compare probabilities with a threshold")
    if masks.ndim != 5 or masks.shape[1] != 1 or masks.shape[2] < 2 or 0 in masks.shape:
        raise ValueError(f"expected masks (B, 1, T, H, W) of at least 2 frames, got shape {tuple(masks.shape)}")
    inside = masks[:, 0].bool().flatten(2)  # (B, T, H·W)
    common = (inside[:, :-1] & inside[:, 1:]).sum(2).double()
    either = (inside[:, :-1] | inside[:, 1:]).sum(2)
    return torch.where(either > 0, common / either, torch.nan).nanmean(1)
