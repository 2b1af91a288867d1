# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixing of neighbours in the four bands of a Haar wavelet transform of each frame.

Source: WaveMix (arXiv 2205.14375, Section 3): bands side by side, a map of their channels, and a transposed convolution
back to the frame. Here the map goes straight to the width of the tokens, and there is one level.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .guided_mixing import GuidedMixing
from .registry import register_mixer
from .slot import Slot

__all__ = ["HaarMixing", "haar_bands"]


def haar_bands(x: Tensor) -> Tensor:
    """Transform grids of even sides by the orthonormal Haar wavelet: ``(N, H, W, C)`` -> ``(N, H/2, W/2, 4·C)``.

    The bands are the mean, differences of columns, of rows, and of both, each C channels.
    """
    corners = rearrange(x, "n (h p) (w q) c -> p q n h w c", p=2, q=2)
    (a, b), (c, d) = corners
    return torch.cat((a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d), dim=-1) / 2


@register_mixer("haar", "space")
class HaarMixing(GuidedMixing):
    """Mix the bands of a frame by one map, and come back: y = transposed_conv(GELU(W · bands(v))).

    Frames of odd sides are filled up by their last row or column, and cut again.

    Args:
        slot: the place it stands in.
    """

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot)
        size = slot.hidden_size
        self.bands = nn.Linear(4 * size, size)
        self.back = nn.ConvTranspose2d(size, size, kernel_size=4, stride=2, padding=1)

    def mix(self, v: Tensor) -> Tensor:  # type: ignore[override]
        """Mix grids ``(N, H, W, C)``."""
        height, width = v.shape[1:3]
        maps = F.pad(v.movedim(-1, 1), (0, width % 2, 0, height % 2), mode="replicate")
        hidden = F.gelu(self.bands(haar_bands(maps.movedim(1, -1))))
        mixed: Tensor = self.back(hidden.movedim(-1, 1)).movedim(1, -1)
        return mixed[:, :height, :width]
