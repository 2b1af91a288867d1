# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights for channels from their means: channels know of one another by one number each.

Source: Squeeze-and-Excitation (arXiv 1709.01507, Equations 2 to 4).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .registry import register_mixer
from .slot import Slot

__all__ = ["SqueezeExcitation"]


@register_mixer("squeeze_excitation", "channels")
class SqueezeExcitation(nn.Module):
    """Scale the channels of each frame: x · σ(W₂ relu(W₁ mean(x))).

    Frames keep apart, as in the published attention of channels, so that single images can train beside clips.

    Args:
        slot: the place it stands in.
        reduction: how many times fewer numbers there are between the two maps; at least one stays.

    Raises:
        ValueError: when it is below 1.
    """

    def __init__(self, slot: Slot, reduction: int = 4) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"reduction must be at least 1, got {reduction}")
        width = max(1, slot.hidden_size // reduction)
        self.squeeze = nn.Linear(slot.hidden_size, width, bias=False)
        self.excite = nn.Linear(width, slot.hidden_size, bias=False)

    def describe_frames(self, x: Tensor) -> Tensor:
        """Return what is known of each channel of a frame: ``(B, T, H, W, C)`` -> ``(B, T, 1, 1, C)``."""
        return x.mean(dim=(2, 3), keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, T, H, W, C)`` to the same shape."""
        return x * torch.sigmoid(self.excite(F.relu(self.squeeze(self.describe_frames(x)))))
