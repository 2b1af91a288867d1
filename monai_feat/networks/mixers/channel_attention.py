# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Transposed attention: channels attend to channels, at a cost linear in the number of tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from monai_feat.networks.blocks import FrameDepthwiseConv

from .registry import register_mixer
from .slot import Slot

__all__ = ["ChannelAttention"]


@register_mixer("transposed", "channels")
class ChannelAttention(nn.Module):
    """Multi-head attention over the channels of each frame (Restormer, arXiv 2111.09881, Equation 1).

    Queries and keys are normalised over tokens, so that their (C/h, C/h) products are cosines; a learned temperature
    per head scales them.

    Args:
        slot: the place it stands in.
    """

    def __init__(self, slot: Slot) -> None:
        super().__init__()
        hidden_size, num_heads = slot.hidden_size, slot.num_heads
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.local = FrameDepthwiseConv(3 * hidden_size)
        self.temperature = nn.Parameter(torch.ones(num_heads, 1, 1))
        self.output = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, T, H, W, C)`` to the same shape."""
        height = x.shape[2]
        qkv = self.local(self.qkv(x))  # (B, T, H, W, 3C)
        q, k, v = rearrange(qkv, "b t h w (three n c) -> three b t n (h w) c", three=3, n=self.num_heads)
        cosine = F.normalize(q, dim=-2).mT @ F.normalize(k, dim=-2)  # (B, T, n, C/n, C/n)
        weights = torch.softmax(cosine * self.temperature, dim=-1)
        mixed = v @ weights.mT  # (B, T, n, HW, C/n)
        output: Tensor = self.output(rearrange(mixed, "b t n (h w) c -> b t h w (n c)", h=height))
        return output
