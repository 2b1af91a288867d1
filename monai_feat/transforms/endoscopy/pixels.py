# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What all detectors share: the pixels of a clip on one scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from monai_feat.transforms.functional import to_levels

__all__ = ["as_levels"]


def as_levels(clip: Tensor) -> npt.NDArray[np.float32]:
    """Pixels of a clip as float32 in [0, 255], with a time axis.

    Args:
        clip: ``(C, T, H, W)`` or one frame ``(C, H, W)``; uint8 in [0, 255] or float in [-1, 1].

    Returns:
        Array ``(C, T, H, W)``.

    Raises:
        ValueError: the shape is not as described, or C is neither 1 nor 3.
        TypeError: the pixels are neither uint8 nor float.
    """
    if clip.ndim not in (3, 4) or clip.shape[0] not in (1, 3) or 0 in clip.shape:
        raise ValueError(f"expected a clip (C, T, H, W) or a frame (C, H, W) with C = 1 or 3, got {tuple(clip.shape)}")
    if clip.dtype != torch.uint8 and not clip.is_floating_point():
        raise TypeError(f"expected pixels as uint8 in [0, 255] or float in [-1, 1], got {clip.dtype}")
    pixels = to_levels(torch.as_tensor(clip).detach().cpu())
    levels: npt.NDArray[np.float32] = (pixels if clip.ndim == 4 else pixels[:, None]).numpy()
    return levels
