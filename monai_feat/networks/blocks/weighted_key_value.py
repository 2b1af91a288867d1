# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Token mixing by bidirectional weighted key-value scans, over space and over time, with residual value guidance.

Source: FEAT (arXiv 2506.04956, Section 2), whose scans are those of Restore-RWKV (arXiv 2407.11087).
"""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from monai_feat.ops import bi_wkv

from .depthwise_conv import FrameDepthwiseConv, TemporalDepthwiseConv

__all__ = ["SpatialWeightedKeyValue", "TemporalWeightedKeyValue", "WeightedKeyValue"]


class WeightedKeyValue(nn.Module):
    """What spatial and temporal mixing share: local mixing, then scans of the values, gated by the receptance.

    With v the values and g the guide (the embedded noisy input), residual value guidance is

        y = scan(k, v + α₀ g) + α₁ (g − v),

    and α starts at zero, so that guidance is learned (FEAT, Section 2, "residual value guidance").

    Args:
        hidden_size: number of channels C.
        num_scans: number of scans, each with its decay and bonus.
        reference_tokens: the scan length that decay and bonus are relative to. None takes the length of the scan at
            hand, as published; a number keeps the learned decay per token when the length changes.
    """

    def __init__(self, hidden_size: int, num_scans: int, reference_tokens: int | None = None) -> None:
        super().__init__()
        if reference_tokens is not None and reference_tokens < 1:
            raise ValueError(f"reference_tokens must be at least 1, got {reference_tokens}")
        self.reference_tokens = reference_tokens
        self.decay = nn.Parameter(torch.randn(num_scans, hidden_size))
        self.bonus = nn.Parameter(torch.randn(num_scans, hidden_size))
        self.guidance = nn.Parameter(torch.zeros(2, hidden_size))
        self.key_value_receptance = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.output = nn.Linear(hidden_size, hidden_size, bias=False)

    def mix_locally(self, x: Tensor) -> Tensor:
        """Mix neighbouring tokens of ``(B, T, H, W, C)``."""
        raise NotImplementedError

    def scan(self, k: Tensor, v: Tensor) -> Tensor:
        """Attend from every token of ``(B, T, H, W, C)`` to all tokens of its scan."""
        raise NotImplementedError

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """Mix tokens.

        Args:
            x: tokens, ``(B, T, H, W, C)``.
            guide: patch embedding of the noisy input, of the same shape.

        Returns:
            Mixed tokens, of the same shape.
        """
        k, v, r = self.key_value_receptance(self.mix_locally(x)).chunk(3, dim=-1)
        y = self.scan(k, v + self.guidance[0] * guide) + self.guidance[1] * (guide - v)
        output: Tensor = self.output(torch.sigmoid(r) * y)
        return output

    def _attend(self, index: int, k: Tensor, v: Tensor) -> Tensor:
        """Run scan ``index`` over dim 1 of ``(N, L, M·C)``, where M positions share the channels' decay and bonus."""
        length = self.reference_tokens or k.shape[1]
        positions = k.shape[2] // self.decay.shape[1]
        w, u = (repeat(p[index] / length, "c -> (m c)", m=positions) for p in (self.decay, self.bonus))
        return bi_wkv(w, u, k, v)


class SpatialWeightedKeyValue(WeightedKeyValue):
    """Scan every frame row by row, then its result column by column with the same keys."""

    def __init__(self, hidden_size: int, reference_tokens: int | None = None) -> None:
        super().__init__(hidden_size, num_scans=2, reference_tokens=reference_tokens)
        self.local = FrameDepthwiseConv(hidden_size)

    def mix_locally(self, x: Tensor) -> Tensor:
        """Add each token's 3×3 neighbourhood in its frame."""
        mixed: Tensor = x + self.local(x)
        return mixed

    def scan(self, k: Tensor, v: Tensor) -> Tensor:
        """Attend within frames: row-major, then column-major."""
        num_clips, _, height, width, _ = k.shape
        for index, order in enumerate(("(h w)", "(w h)")):
            flat = (rearrange(x, f"b t h w c -> (b t) {order} c") for x in (k, v))
            y = self._attend(index, *flat)
            v = rearrange(y, f"(b t) {order} c -> b t h w c", b=num_clips, h=height, w=width)
        return v


class TemporalWeightedKeyValue(WeightedKeyValue):
    """Scan every position over time, once."""

    def __init__(self, hidden_size: int, reference_tokens: int | None = None) -> None:
        super().__init__(hidden_size, num_scans=1, reference_tokens=reference_tokens)
        self.local_space = FrameDepthwiseConv(hidden_size)
        self.local_time = TemporalDepthwiseConv(hidden_size)

    def mix_locally(self, x: Tensor) -> Tensor:
        """Add each token's 3×3 neighbourhood in its frame, then its neighbours in time."""
        x = x + self.local_space(x)
        mixed: Tensor = x + self.local_time(x)
        return mixed

    def scan(self, k: Tensor, v: Tensor) -> Tensor:
        """Attend along time: positions ride along as channels, so that nothing has to be transposed."""
        height, width = k.shape[2:4]
        flat = (rearrange(x, "b t h w c -> b t (h w c)") for x in (k, v))
        return rearrange(self._attend(0, *flat), "b t (h w c) -> b t h w c", h=height, w=width)
