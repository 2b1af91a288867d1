# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Nothing where a mixer could stand."""

from __future__ import annotations

from torch import Tensor, nn

from .registry import register_mixer
from .slot import Slot

__all__ = ["NoMixing"]


@register_mixer("none", "space", "time", "channels")
class NoMixing(nn.Module):
    """Add nothing: of its block, only the feed-forward network is left."""

    def __init__(self, slot: Slot) -> None:
        super().__init__()
        self.slot = slot

    def forward(self, x: Tensor, guide: Tensor | None = None) -> Tensor:
        """Map tokens of any shape to zeros of it."""
        return 0 * x  # not zeros_like: what lies before it keeps a gradient, which training by several processes wants
