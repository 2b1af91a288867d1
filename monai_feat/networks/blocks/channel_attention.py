# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Transposed attention: channels attend to channels, at a cost linear in the number of tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .depthwise_conv import FrameDepthwiseConv

__all__ = ["ChannelAttention"]


class ChannelAttention(nn.Module):
    """Multi-head attention over the channels of each frame (Restormer, arXiv 2111.09881, Equation 1).

    Queries and keys are normalised over tokens, so that their (C/h, C/h) products are cosines; a learned temperature
    per head scales them.

    Args:
        hidden_size: number of channels C.
        num_heads: number of heads h.

    Raises:
        ValueError: when the heads do not divide the channels.
    """

    def __init__(self, hidden_size: int, num_heads: int) -> None:
        super().__init__()
        if num_heads < 1 or hidden_size % num_heads:
            raise ValueError(f"num_heads must divide hidden_size, got {num_heads} heads for {hidden_size} channels")
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
