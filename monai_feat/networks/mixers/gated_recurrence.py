# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A gated linear recurrence over time, of one number for each channel.

Source: RG-LRU of Griffin (arXiv 2402.19427, Equations 1 to 4), which TRecViT (arXiv 2412.14294) takes over time;
checked against github.com/google-deepmind/recurrentgemma, torch/layers.py: c = 8, no normalisation of the first token,
slopes of the square root of at most 1000. Its gates are linear maps in blocks; here they are full ones.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_feat.ops import linear_recurrence

from .guided_mixing import GuidedMixing
from .registry import register_mixer
from .slot import Slot

__all__ = ["GatedRecurrence"]

SHARPNESS = 8.0  # c of the paper
LEAST, MOST = 0.7, 0.999  # decays at the start, as TRecViT draws them
FLOOR = 2.5e-7  # of 1 − a²: there the slope of its root is 1000


@register_mixer("lru", "time")
class GatedRecurrence(GuidedMixing):
    """Remember what comes by, and forget it as fast as a gate says.

    With gates r = σ(W_a x), i = σ(W_i x) and learned Λ,

        log a = −c softplus(Λ) r,    h_t = a_t h_{t−1} + √(1 − a_t²) (i_t v_t),

    from the first frame to the last and, added to it, from the last to the first with another Λ.

    Args:
        slot: the place it stands in.
        causal: only from the first to the last. The convolution before it still sees one frame ahead.
    """

    def __init__(self, slot: Slot, causal: bool = False) -> None:
        super().__init__(slot, num_keys=2)
        self.causal = causal
        # softplus(Λ) = −log(decay): the share of memory that is left after a frame with an open gate is decay^c
        squares = torch.empty(1 if causal else 2, slot.hidden_size).uniform_(LEAST**2, MOST**2)
        self.forgetting = nn.Parameter(torch.log(torch.expm1(-0.5 * torch.log(squares))))

    def mix(self, a_keys: Tensor, i_keys: Tensor, v: Tensor) -> Tensor:  # type: ignore[override]
        """Run over time, ``(N, T, C)``."""
        gates, values = torch.sigmoid(a_keys), torch.sigmoid(i_keys) * v
        mixed = self.remember(gates, values, F.softplus(self.forgetting[0]))[0]
        if not self.causal:
            rate = F.softplus(self.forgetting[1])
            mixed = mixed + self.remember(gates.flip(1), values.flip(1), rate)[0].flip(1)
        return mixed

    @staticmethod
    def remember(gates: Tensor, values: Tensor, rate: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run once, from the first frame to the last.

        Args:
            gates: r, ``(N, T, C)``.
            values: i·v, likewise.
            rate: softplus(Λ), ``(C,)``.
            state: what an earlier call has left, ``(N, C)``; None where there is none. A clip in two parts gives
                what it gives in one, to the last bit.

        Returns:
            h, ``(N, T, C)``, and the state after it.
        """
        log_a = -SHARPNESS * rate * gates
        share = torch.sqrt((-torch.expm1(2 * log_a)).clamp_min(FLOOR))
        if state is None:  # the first frame is all that there is to remember
            share = torch.cat((torch.ones_like(share[:, :1]), share[:, 1:]), dim=1)
        outputs = linear_recurrence(torch.exp(log_a), share * values, state)
        return outputs.to(values.dtype), outputs[:, -1]
