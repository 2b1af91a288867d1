# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Adaptive layer norm: a residual block whose shift, scale and gate come from the timestep embedding.

Source: DiT (arXiv 2212.09748, Section 3.2). The embedding is one vector per clip, so its projection is computed once
per clip and broadcast over frames and tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .embeddings import ScaledSiLU
from .gated_feed_forward import GatedFeedForward

__all__ = ["AdaptiveBlock", "AdaptiveModulation", "LayerScaledAdaptiveBlock", "modulate"]


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Shift and scale normalised tokens: x (1 + scale) + shift."""
    return torch.addcmul(shift, x, 1 + scale)


class AdaptiveModulation(nn.Module):
    """Project a clip's embedding to the vectors that modulate its tokens.

    Args:
        hidden_size: number of channels C.
        num_vectors: number of vectors.
        activation: applied to the embedding first.
    """

    def __init__(self, hidden_size: int, num_vectors: int, activation: nn.Module) -> None:
        super().__init__()
        self.num_vectors = num_vectors
        self.activation = activation
        self.proj = nn.Linear(hidden_size, num_vectors * hidden_size)

    def forward(self, embedding: Tensor) -> tuple[Tensor, ...]:
        """Project ``(B, C)`` to ``num_vectors`` tensors ``(B, 1, 1, 1, C)``."""
        vectors: Tensor = self.proj(self.activation(embedding))
        return vectors[:, None, None, None].chunk(self.num_vectors, dim=-1)


class AdaptiveBlock(nn.Module):
    """Two gated residual steps, token mixing and feed-forward, each behind an adaptive layer norm.

    Args:
        mixing: maps tokens ``(B, T, H, W, C)`` to the same shape; further arguments of `forward` are passed on to it.
        hidden_size: number of channels C.
        mlp_ratio: width of the feed-forward network, as a multiple of C.
        activation: applied to the embedding before its projection.
    """

    def __init__(self, mixing: nn.Module, hidden_size: int, mlp_ratio: float, activation: nn.Module) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden_size)
        self.mixing = mixing
        self.norm2 = nn.LayerNorm(hidden_size)
        self.feed_forward = GatedFeedForward(hidden_size, mlp_ratio)
        self.modulation = AdaptiveModulation(hidden_size, num_vectors=6, activation=activation)

    def gates(self, mixing: Tensor, feed_forward: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the two residuals are multiplied with, given the projected gates."""
        return mixing, feed_forward

    def forward(self, x: Tensor, embedding: Tensor, *context: Any) -> Tensor:
        """Transform tokens ``(B, T, H, W, C)`` given the clips' embedding ``(B, C)``."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(embedding)
        gate1, gate2 = self.gates(gate1, gate2)
        x = torch.addcmul(x, gate1, self.mixing(modulate(self.norm1(x), shift1, scale1), *context))
        return torch.addcmul(x, gate2, self.feed_forward(modulate(self.norm2(x), shift2, scale2)))


class LayerScaledAdaptiveBlock(AdaptiveBlock):
    """An adaptive block that also scales each residual by a learned vector (FEAT's spatial and temporal blocks).

    Args:
        mixing: see `AdaptiveBlock`.
        hidden_size: number of channels C.
        mlp_ratio: width of the feed-forward network, as a multiple of C.
    """

    def __init__(self, mixing: nn.Module, hidden_size: int, mlp_ratio: float) -> None:
        super().__init__(mixing, hidden_size, mlp_ratio, activation=ScaledSiLU())
        self.gamma1 = nn.Parameter(torch.ones(hidden_size))
        self.gamma2 = nn.Parameter(torch.ones(hidden_size))

    def gates(self, mixing: Tensor, feed_forward: Tensor) -> tuple[Tensor, Tensor]:
        """Scale the projected gates per channel."""
        return self.gamma1 * mixing, self.gamma2 * feed_forward
