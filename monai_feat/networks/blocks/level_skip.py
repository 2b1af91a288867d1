# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A way around the tokens for the noise of the input, by filters that know how noisy it is."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

from monai_feat.networks.blocks.embeddings import ScaledSiLU, TimestepEmbedding

__all__ = ["LevelConditionedSkip"]


class LevelConditionedSkip(nn.Module):
    """Filter the noisy input by a mixture of 3 × 3 × 3 filters that depends on the timestep: Σₖ mₖ(t)·(Wₖ ∗ x).

    A prediction of noise or velocity holds most of the input's noise again, at every pixel. What this linear part of it
    gives, tokens need not carry: they are free for what is seen in the clip. The mixture m starts at zero.

    Args:
        in_channels: channels of the clip.
        out_channels: channels of the prediction.
        num_filters: number K of filters.
        hidden_size: width of the small network that gives m.

    Example:
        >>> skip = LevelConditionedSkip(4, 4, num_filters=8)
        >>> skip(torch.randn(2, 4, 5, 8, 8), torch.tensor([3.0, 700.0])).abs().max().item()
        0.0
    """

    def __init__(self, in_channels: int, out_channels: int, num_filters: int, hidden_size: int = 32) -> None:
        super().__init__()
        self.filters = nn.Conv3d(in_channels, num_filters * out_channels, kernel_size=3, padding=1)
        self.embedding = TimestepEmbedding(hidden_size, num_frequencies=32)
        self.activation = ScaledSiLU()
        self.mixture = nn.Linear(hidden_size, num_filters)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start as nothing: the layer that gives the mixture is zero."""
        nn.init.zeros_(self.mixture.weight)
        nn.init.zeros_(self.mixture.bias)

    def forward(self, x: Tensor, timesteps: Tensor, num_image_frames: int = 0) -> Tensor:
        """Filter clips.

        Args:
            x: noisy latent clips, ``(B, C, T, H, W)``.
            timesteps: of each clip, ``(B,)``.
            num_image_frames: how many of the last frames are independent images, which are filtered each alone.

        Returns:
            Its part of the prediction, ``(B, out_channels, T, H, W)``.
        """
        shares = self.mixture(self.activation(self.embedding(timesteps)))  # (B, K)
        video, images = x.split([x.shape[2] - num_image_frames, num_image_frames], dim=2)
        filtered = self.filters(video)  # (B, K·out, T, H, W)
        if num_image_frames:
            alone = self.filters(rearrange(images, "b c t h w -> (b t) c 1 h w"))
            filtered = torch.cat((filtered, rearrange(alone, "(b t) c 1 h w -> b c t h w", b=len(x))), dim=2)
        return torch.einsum(
            "bk,bkcthw->bcthw", shares, rearrange(filtered, "b (k c) t h w -> b k c t h w", k=shares.shape[1])
        )
