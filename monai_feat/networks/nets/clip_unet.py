# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""MONAI's diffusion UNet as a denoiser of latent clips, time being its depth: a peer of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
from torch import Tensor

from monai_feat.checkpoints import Pretrained

from .denoiser_inputs import check_channels, timesteps_per_clip

__all__ = ["ClipUNet"]


class ClipUNet(Pretrained):
    """Predict the noise of a noisy latent clip by MONAI's 3-D `DiffusionModelUNet`.

    Any size: what is no multiple of the UNet's strides is filled up by its last frame, row and column, and cut again.

    Args:
        in_channels: channels C of the clip.
        out_channels: channels of the prediction.
        channels: of each level; each next one halves time and space.
        num_res_blocks: of each level.
        attention_levels: whether tokens of a level attend to one another; none by default.
        norm_num_groups: groups of the normalisation; divides all channels.
        num_head_channels: channels of a head, where there is attention.

    Example:
        >>> import torch
        >>> network = ClipUNet(4, 8, channels=(8, 16), norm_num_groups=8)
        >>> network(torch.randn(2, 4, 5, 8, 7), timesteps=torch.tensor([3, 700])).shape
        torch.Size([2, 8, 5, 8, 7])
    """

    weights_name = "unet.safetensors"

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 8,
        channels: Sequence[int] = (32, 64, 64),
        num_res_blocks: int = 1,
        attention_levels: Sequence[bool] | None = None,
        norm_num_groups: int = 8,
        num_head_channels: int = 8,
    ) -> None:
        super().__init__()
        attention = [False] * len(channels) if attention_levels is None else list(attention_levels)
        self.in_channels = in_channels
        self._arguments = dict(in_channels=in_channels, out_channels=out_channels, channels=list(channels))
        self._arguments |= dict(num_res_blocks=num_res_blocks, attention_levels=attention)
        self._arguments |= dict(norm_num_groups=norm_num_groups, num_head_channels=num_head_channels)
        self.stride = 2 ** (len(channels) - 1)
        self.unet = DiffusionModelUNet(spatial_dims=3, **self._arguments)  # type: ignore[arg-type]

    def check_latents(self, shape: Sequence[int]) -> None:
        """Refuse the shape ``(C, T, H, W)`` of clips that this network cannot take."""
        check_channels(shape[0], self.in_channels)

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        return dict(self._arguments)

    def forward(self, x: Tensor, timesteps: Tensor | float, context: None = None) -> Tensor:
        """Predict noise.

        Args:
            x: noisy latent clips, ``(B, C, T, H, W)``.
            timesteps: a number, ``(1,)`` or ``(B,)``.
            context: None; this network takes no conditions.

        Raises:
            ValueError: when something is asked for, or the timesteps do not fit.
        """
        if context is not None:
            raise ValueError("ClipUNet is unconditional: pass context=None")
        frames, height, width = x.shape[2:]
        missing = [-size % self.stride for size in (width, height, frames)]
        filled = F.pad(x, [part for count in missing for part in (0, count)], mode="replicate")
        output: Tensor = self.unet(filled, timesteps_per_clip(timesteps, x))
        return output[:, :, :frames, :height, :width]
