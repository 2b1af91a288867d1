# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights for channels from what they hold at a few spatial frequencies, their mean being the lowest.

Source: FcaNet (arXiv 2012.11879, Equations 5 to 9), checked against github.com/cfzd/FcaNet: channels in groups, a
frequency each. Published sums are divided by √(H·W) at one size; here they are means, so that any size gives the same
scale and the lowest frequency alone is Squeeze-and-Excitation, as the paper shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .registry import register_mixer
from .slot import Slot
from .squeeze_excitation import SqueezeExcitation

__all__ = ["FrequencyExcitation"]


@register_mixer("frequency", "channels")
class FrequencyExcitation(SqueezeExcitation):
    """Scale the channels of each frame by what they hold at frequencies of the cosine transform.

    Args:
        slot: the place it stands in.
        frequencies: half waves over the height and over the width of a frame, a pair for each group of channels.
        reduction: see `SqueezeExcitation`.

    Raises:
        ValueError: the number of pairs does not divide the channels.
    """

    def __init__(
        self,
        slot: Slot,
        frequencies: Sequence[Sequence[int]] = ((0, 0), (0, 1), (1, 0), (1, 1)),
        reduction: int = 4,
    ) -> None:
        super().__init__(slot, reduction)
        if not frequencies or slot.hidden_size % len(frequencies):
            raise ValueError(f"{len(frequencies)} frequencies do not divide {slot.hidden_size} channels into groups")
        self.frequencies = [(int(rows), int(columns)) for rows, columns in frequencies]

    def describe_frames(self, x: Tensor) -> Tensor:
        """Return the coefficient of each channel at its frequency: ``(B, T, H, W, C)`` -> ``(B, T, 1, 1, C)``."""
        height, width = x.shape[2:4]
        waves = [_wave(rows, height, x)[:, None] * _wave(columns, width, x)[None] for rows, columns in self.frequencies]
        filters = torch.stack(waves, dim=-1).repeat_interleave(x.shape[-1] // len(waves), dim=-1)  # (H, W, C)
        return (x * filters).mean(dim=(2, 3), keepdim=True)


def _wave(half_waves: int, length: int, like: Tensor) -> Tensor:
    """Return a cosine over a length, whose mean square is 1: ``(length,)``."""
    places = torch.arange(length, device=like.device, dtype=like.dtype) + 0.5
    return torch.cos(math.pi * half_waves * places / length) * (math.sqrt(2) if half_waves else 1.0)
