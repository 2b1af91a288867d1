# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions alone: each channel by itself, at several distances."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .guided_mixing import GuidedMixing
from .registry import register_mixer
from .slot import Slot

__all__ = ["DepthwisePyramid"]


@register_mixer("conv", "space", "time")
class DepthwisePyramid(GuidedMixing):
    """Add up depthwise convolutions of the values with holes of several widths; zero-padded, without bias.

    What a token sees is bounded, whatever the size of the clip; the gate is all that depends on the content. The
    published block mixes channels before and after it.

    Args:
        slot: the place it stands in.
        dilations: distance of the taps of each convolution, in tokens.
        kernel_size: taps along each axis; an odd number.

    Raises:
        ValueError: when the kernel is even, or a size is not positive.
    """

    def __init__(self, slot: Slot, dilations: Sequence[int] = (1, 2, 4), kernel_size: int = 3) -> None:
        if kernel_size % 2 == 0 or min(kernel_size, *dilations) < 1:
            raise ValueError(f"expected an odd kernel_size and dilations from 1, got {kernel_size}, {list(dilations)}")
        super().__init__(slot)
        size, conv = slot.hidden_size, nn.Conv2d if slot.axis == "space" else nn.Conv1d
        self.convs = nn.ModuleList(
            conv(size, size, kernel_size, padding="same", dilation=dilation, groups=size, bias=False)
            for dilation in dilations
        )

    def mix(self, v: Tensor) -> Tensor:  # type: ignore[override]
        """Convolve grids ``(N, ..., C)``."""
        maps = v.movedim(-1, 1)
        return torch.stack([conv(maps) for conv in self.convs]).sum(dim=0).movedim(1, -1)
