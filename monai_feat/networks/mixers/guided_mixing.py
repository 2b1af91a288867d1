# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What mixers over space and over time share: local mixing, values that are guided, and a gate.

Source: FEAT (arXiv 2506.04956, Section 2), where the scan of weighted key-values stands in the middle. Any other way of
mixing can stand there: all else stays the same, so that two networks differ in nothing but what is compared.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

from monai_feat.networks.blocks import FrameDepthwiseConv, TemporalDepthwiseConv

from .slot import Slot

__all__ = ["GuidedMixing"]


class GuidedMixing(nn.Module):
    """Mix neighbours, then all tokens of a frame or a position, with residual value guidance and a gate.

    With v the values, g the guide (the embedded noisy input) and r the receptance,

        y = mix(keys, v + α₀ g) + α₁ (g − v),    output = W (σ(r) · y),

    and α starts at zero, so that guidance is learned (FEAT, Section 2, "residual value guidance"). A subclass says in
    `mix` what happens in the middle. It works on a frame or on a position alone: N of them lie in the first dimension.

    Args:
        slot: the place it stands in; over space or over time.
        num_keys: how many maps of the tokens `mix` takes beside the values, such as queries and keys.
        parameters: those of a subclass that come first.

    Raises:
        ValueError: the slot is one of channels.
    """

    def __init__(self, slot: Slot, num_keys: int = 0, **parameters: nn.Parameter) -> None:
        super().__init__()
        if slot.axis == "channels":
            raise ValueError(f"{type(self).__name__} mixes tokens over space or time, not channels")
        size = slot.hidden_size
        self.slot = slot
        self.num_keys = num_keys
        for name, parameter in parameters.items():
            self.register_parameter(name, parameter)
        self.guidance = nn.Parameter(torch.zeros(2, size))
        self.key_value_receptance = nn.Linear(size, (num_keys + 2) * size, bias=False)
        self.output = nn.Linear(size, size, bias=False)
        if slot.axis == "space":
            self.local = FrameDepthwiseConv(size)
        else:
            self.local_space = FrameDepthwiseConv(size)
            self.local_time = TemporalDepthwiseConv(size)

    def mix(self, *keys_and_values: Tensor) -> Tensor:
        """Mix values by keys, all ``(N, H, W, C)`` over space and ``(N, T, C)`` over time: the values are last."""
        raise NotImplementedError

    def mix_locally(self, x: Tensor) -> Tensor:
        """Add each token's 3×3 neighbourhood in its frame, and over time its neighbours there: ``(B, T, H, W, C)``."""
        if self.slot.axis == "space":
            mixed: Tensor = x + self.local(x)
        else:
            x = x + self.local_space(x)
            mixed = x + self.local_time(x)
        return mixed

    def scan(self, *keys_and_values: Tensor) -> Tensor:
        """Mix values ``(B, T, H, W, C)``, the last, along the slot's axis."""
        batch, _, height = keys_and_values[-1].shape[:3]
        apart = "(b t) h w c" if self.slot.axis == "space" else "(b h w) t c"
        mixed = self.mix(*(rearrange(x, f"b t h w c -> {apart}") for x in keys_and_values))
        return rearrange(mixed, f"{apart} -> b t h w c", b=batch, **({} if "(b t)" in apart else {"h": height}))

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """Mix tokens.

        Args:
            x: tokens, ``(B, T, H, W, C)``.
            guide: patch embedding of the noisy input, of the same shape.

        Returns:
            Mixed tokens, of the same shape.
        """
        *keys, v, r = self.key_value_receptance(self.mix_locally(x)).chunk(self.num_keys + 2, dim=-1)
        y = self.scan(*keys, v + self.guidance[0] * guide) + self.guidance[1] * (guide - v)
        output: Tensor = self.output(torch.sigmoid(r) * y)
        return output
