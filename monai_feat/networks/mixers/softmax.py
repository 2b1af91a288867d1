# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Softmax attention with a learned bias for the distance of two tokens: what claims for other mixers are held against.

Source: attention as torch's `scaled_dot_product_attention` computes it; relative position as in Swin (arXiv 2103.14030,
Equation 4), here one table for each axis of a frame, whose ends serve all greater distances.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .guided_mixing import GuidedMixing
from .registry import register_mixer
from .slot import Slot

__all__ = ["SoftmaxMixing"]


@register_mixer("softmax", "space", "time")
class SoftmaxMixing(GuidedMixing):
    """Attend from every token to all of its frame or position: softmax(q kᵀ / √d + B) v, with B[i, j] = b[i − j].

    Over space, B is the sum of a bias for rows and one for columns. b starts at zero: no position. Cost is quadratic in
    the number of tokens. On a CPU, torch has its forward derivative only within
    ``torch.nn.attention.sdpa_kernel(SDPBackend.MATH)``.

    Args:
        slot: the place it stands in.
        max_distance: distances are told apart up to this one, forwards and backwards.

    Raises:
        ValueError: when the distance is negative.
    """

    def __init__(self, slot: Slot, max_distance: int = 32) -> None:
        if max_distance < 0:
            raise ValueError(f"max_distance must be 0 or more, got {max_distance}")
        super().__init__(slot, num_keys=2)
        self.max_distance = max_distance
        num_axes = 2 if slot.axis == "space" else 1
        self.bias = nn.Parameter(torch.zeros(num_axes, slot.num_heads, 2 * max_distance + 1))

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # type: ignore[override]
        """Attend within grids ``(N, ..., C)``."""
        grid = v.shape[1:-1]
        q, k, v_heads = (x.flatten(1, -2).unflatten(-1, (self.slot.num_heads, -1)).transpose(1, 2) for x in (q, k, v))
        bias = self._bias(grid).to(v.dtype)[None]
        mixed = F.scaled_dot_product_attention(q, k, v_heads, attn_mask=bias)  # (N, g, L, C/g)
        return mixed.transpose(1, 2).flatten(2).reshape(v.shape)

    def _bias(self, grid: torch.Size) -> Tensor:
        """Return the bias of every pair of tokens, ``(g, L, L)``."""
        tables = [self._along(axis, length) for axis, length in enumerate(grid)]
        if len(tables) == 1:
            return tables[0]
        rows, columns = tables
        both = rows[:, :, None, :, None] + columns[:, None, :, None, :]  # (g, H, W, H, W)
        return both.flatten(3).flatten(1, 2)

    def _along(self, axis: int, length: int) -> Tensor:
        """Return the bias of every pair of places along an axis, ``(g, n, n)``."""
        place = torch.arange(length, device=self.bias.device)
        distance = (place[:, None] - place).clamp(-self.max_distance, self.max_distance)
        return self.bias[axis][:, distance + self.max_distance]
