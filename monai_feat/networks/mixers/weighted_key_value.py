# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Token mixing by bidirectional weighted key-value scans, over space and over time: what is published.

Source: FEAT (arXiv 2506.04956, Section 2), whose scans are those of Restore-RWKV (arXiv 2407.11087).
"""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from monai_feat.ops import bi_wkv

from .guided_mixing import GuidedMixing
from .registry import register_mixer
from .slot import Slot

__all__ = ["SpatialWeightedKeyValue", "TemporalWeightedKeyValue", "WeightedKeyValue"]


class WeightedKeyValue(GuidedMixing):
    """What spatial and temporal scans share: decays, bonuses, and the length that they are relative to.

    Args:
        slot: the place it stands in. Where it has no `reference_tokens`, decay and bonus are relative to the length of
            the scan at hand, as published; a number keeps the learned decay per token when the length changes.
        num_scans: number of scans, each with its decay and bonus.
    """

    decay: Tensor
    bonus: Tensor

    def __init__(self, slot: Slot, num_scans: int) -> None:
        if slot.reference_tokens is not None and slot.reference_tokens < 1:
            raise ValueError(f"reference_tokens must be at least 1, got {slot.reference_tokens}")
        decay, bonus = (nn.Parameter(torch.randn(num_scans, slot.hidden_size)) for _ in range(2))
        super().__init__(slot, num_keys=1, decay=decay, bonus=bonus)

    def _attend(self, index: int, k: Tensor, v: Tensor) -> Tensor:
        """Run scan ``index`` over dim 1 of ``(N, L, M·C)``, where M positions share the channels' decay and bonus."""
        length = self.slot.reference_tokens or k.shape[1]
        positions = k.shape[2] // self.slot.hidden_size
        w, u = (repeat(p[index] / length, "c -> (m c)", m=positions) for p in (self.decay, self.bonus))
        return bi_wkv(w, u, k, v)


@register_mixer("wkv", "space")
class SpatialWeightedKeyValue(WeightedKeyValue):
    """Scan every frame row by row, then its result column by column with the same keys."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot, num_scans=2)

    def mix(self, k: Tensor, v: Tensor) -> Tensor:  # type: ignore[override]
        """Attend within frames ``(N, H, W, C)``: row-major, then column-major."""
        for index, order in enumerate(("(h w)", "(w h)")):
            y = self._attend(index, *(rearrange(x, f"n h w c -> n {order} c") for x in (k, v)))
            v = rearrange(y, f"n {order} c -> n h w c", h=k.shape[1])
        return v


@register_mixer("wkv", "time")
class TemporalWeightedKeyValue(WeightedKeyValue):
    """Scan every position over time, once."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot, num_scans=1)

    def scan(self, k: Tensor, v: Tensor) -> Tensor:  # type: ignore[override]
        """Attend along time: positions ride along as channels, so that nothing has to be transposed."""
        height, width = k.shape[2:4]
        flat = (rearrange(x, "b t h w c -> b t (h w c)") for x in (k, v))
        return rearrange(self._attend(0, *flat), "b t (h w c) -> b t h w c", h=height, w=width)
