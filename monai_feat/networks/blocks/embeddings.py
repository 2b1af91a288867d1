# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Embeddings of the noisy clip and of the timestep."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

__all__ = ["PatchEmbedding", "ScaledSiLU", "TimestepEmbedding", "unpatchify"]


class ScaledSiLU(nn.Module):
    """SiLU(x) / 0.596, which keeps the second moment of a standard normal (EDM2, arXiv 2312.02696, Equation 81)."""

    def forward(self, x: Tensor) -> Tensor:
        """Activate a tensor of any shape."""
        return F.silu(x) / 0.596


class PatchEmbedding(nn.Module):
    """Cut every frame into square patches and embed each linearly.

    Args:
        in_channels: channels of the clip.
        hidden_size: size of the embedding.
        patch_size: side of a patch in pixels.
        bias: whether the linear map has one.
    """

    def __init__(self, in_channels: int, hidden_size: int, patch_size: int, bias: bool = True) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.proj = nn.Linear(in_channels * patch_size**2, hidden_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Embed ``(B, C, T, H, W)`` as ``(B, T, H/p, W/p, D)``.

        Raises:
            ValueError: when a frame is not a whole number of patches.
        """
        p = self.patch_size
        self.check_size(*x.shape[-2:])
        patches = rearrange(x, "b c t (h p) (w q) -> b t h w (c p q)", p=p, q=p)
        tokens: Tensor = self.proj(patches)
        return tokens

    def check_size(self, height: int, width: int) -> None:
        """Refuse frames that are not a whole number of patches.

        Raises:
            ValueError: says which size would do.
        """
        p = self.patch_size
        if height % p or width % p:
            raise ValueError(
                f"frames must be a multiple of the patch size {p} in height and width, got {height}×{width}; resize, "
                "crop or pad the clip"
            )


def unpatchify(patches: Tensor, patch_size: int) -> Tensor:
    """Put patches ``(B, T, h, w, p·p·C)`` back together as a clip ``(B, C, T, h·p, w·p)``."""
    return rearrange(patches, "b t h w (p q c) -> b c t (h p) (w q)", p=patch_size, q=patch_size)


class TimestepEmbedding(nn.Module):
    """Embed timesteps by sines and cosines and two linear maps.

    Args:
        hidden_size: size of the embedding.
        num_frequencies: number of sinusoids; an even number.
        max_period: longest period, in timesteps.
        activation: between the two maps; `ScaledSiLU` by default.
    """

    def __init__(
        self,
        hidden_size: int,
        num_frequencies: int = 256,
        max_period: float = 10_000.0,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.num_frequencies = num_frequencies
        self.max_period = max_period
        self.mlp = nn.Sequential(
            nn.Linear(num_frequencies, hidden_size), activation or ScaledSiLU(), nn.Linear(hidden_size, hidden_size)
        )

    def forward(self, timesteps: Tensor) -> Tensor:
        """Embed ``(B,)`` timesteps, whole or fractional, as ``(B, D)``."""
        half = self.num_frequencies // 2
        # float32 whatever the network's dtype: the published table, and low precision would blur neighbouring timesteps
        exponents = torch.arange(half, dtype=torch.float32, device=timesteps.device) / half
        angles = timesteps.float()[:, None] * torch.exp(-math.log(self.max_period) * exponents)  # (B, F/2)
        waves = torch.cat((angles.cos(), angles.sin()), dim=-1)
        embedding: Tensor = self.mlp(waves.to(next(self.mlp.parameters()).dtype))
        return embedding
