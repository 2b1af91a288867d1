# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""New pixels, the old metadata: what a transform has to carry over, and to correct, when it changes a clip."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from monai.data.meta_obj import get_track_meta
from monai.data.meta_tensor import MetaTensor
from torch import Tensor

__all__ = ["carry_meta", "frame_rate_of", "plain"]


def plain(clip: Any) -> Tensor:
    """The pixels of a clip as a tensor without metadata; arrays are converted."""
    if isinstance(clip, MetaTensor):
        pixels: Tensor = clip.as_tensor()
        return pixels
    return torch.as_tensor(clip)


def frame_rate_of(clip: Any) -> float | None:
    """Frames per second in a clip's metadata, Hz; None where they say none, or 0."""
    rate = clip.meta.get("frame_rate") if isinstance(clip, MetaTensor) else None
    return float(rate) if rate else None


def carry_meta(
    clip: Any,
    pixels: Tensor,
    meta: Mapping[str, Any] | None = None,
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
    start: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Tensor:
    """Give new pixels the metadata of the clip that they were made from.

    Args:
        clip: the clip before, ``(C, T, H, W)``.
        pixels: the clip after.
        meta: entries to set.
        scale: frames, rows and columns of the clip before from one to the next of `pixels`.
        start: where in the clip before the first frame, row and column of `pixels` lie.

    Returns:
        A MetaTensor, where MONAI tracks metadata; its affine is corrected by `scale` and `start`.
    """
    if not get_track_meta():
        return pixels
    before = clip if isinstance(clip, MetaTensor) else MetaTensor(plain(clip))
    affine = before.affine.clone()
    # Three spatial axes of a clip are time, row and column; a still has but the last two.
    axes = len(affine) - 1
    change = torch.eye(axes + 1, dtype=affine.dtype, device=affine.device)
    for axis in range(axes):
        change[axis, axis], change[axis, -1] = scale[axis - axes], start[axis - axes]
    after = MetaTensor(pixels, meta={**deepcopy(before.meta), **(meta or {}), "affine": affine @ change})
    after.applied_operations = deepcopy(before.applied_operations)
    return after
