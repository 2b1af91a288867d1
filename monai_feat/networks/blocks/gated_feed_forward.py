# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The gated depthwise feed-forward network of Restormer (arXiv 2111.09881, Section 3.2), applied to every frame."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .depthwise_conv import FrameDepthwiseConv

__all__ = ["GatedFeedForward"]


class GatedFeedForward(nn.Module):
    """Mix channels through GELU(a)·b, where a and b see a 3×3 neighbourhood of their frame; no biases.

    Args:
        hidden_size: number of channels C in and out.
        mlp_ratio: width of each of the two branches, as a multiple of C.
    """

    def __init__(self, hidden_size: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        width = round(hidden_size * mlp_ratio)
        self.project_in = nn.Linear(hidden_size, 2 * width, bias=False)
        self.local = FrameDepthwiseConv(2 * width)
        self.project_out = nn.Linear(width, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, T, H, W, C)`` to the same shape."""
        gate, value = self.local(self.project_in(x)).chunk(2, dim=-1)
        output: Tensor = self.project_out(F.gelu(gate) * value)
        return output
