# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion's frame autoencoder, as far as MONAI's differs from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from monai.networks.blocks.convolutions import Convolution
from monai.networks.nets.autoencoderkl import AutoencoderKL, Decoder

__all__ = ["StableDiffusionAutoencoder"]

SD_NORM_GROUPS = 32


class StableDiffusionAutoencoder(AutoencoderKL):
    """MONAI's 2-D ``AutoencoderKL`` with the four details in which Stable Diffusion's differs from it.

    1. The decoder has one residual block more per level than the encoder.
    2. A SiLU stands between the last group norm and the last convolution, in the encoder and the decoder.
    3. The encoder ends in twice ``latent_channels``, and
    4. mean and log-variance are each a 1×1 map of all of them.

    None of these can be had from ``AutoencoderKL``'s arguments. The state dict differs from the stock one in keys and
    shapes, so that neither loads into the other unnoticed. Methods and their shapes are ``AutoencoderKL``'s: ``encode``
    takes (B, C, H, W) and returns mean and standard deviation, both (B, ``latent_channels``, H / f, W / f) with
    f = 2 ** (levels − 1). The latent scale (0.18215 for SD 1.x) is not a part of the network.

    Args:
        in_channels: channels of the image that is encoded.
        out_channels: channels of the image that is decoded.
        channels: width of each level, finest first; multiples of ``norm_num_groups``.
        latent_channels: channels of the latent.
        num_res_blocks: residual blocks per level of the encoder.
        norm_num_groups: groups of the group norms.

    Raises:
        ValueError: if a width is not a multiple of ``norm_num_groups``.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        channels: Sequence[int] = (128, 256, 512, 512),
        latent_channels: int = 4,
        num_res_blocks: int = 2,
        norm_num_groups: int = SD_NORM_GROUPS,
    ) -> None:
        no_attention = [False] * len(channels)
        super().__init__(
            spatial_dims=2,
            in_channels=in_channels,
            out_channels=out_channels,
            num_res_blocks=num_res_blocks,
            channels=channels,
            attention_levels=no_attention,
            latent_channels=latent_channels,
            norm_num_groups=norm_num_groups,
            use_flash_attention=True,
        )
        decoder = Decoder(
            spatial_dims=2,
            channels=channels,
            in_channels=latent_channels,
            out_channels=out_channels,
            num_res_blocks=[num_res_blocks + 1] * len(channels),
            norm_num_groups=norm_num_groups,
            norm_eps=1e-6,
            attention_levels=no_attention,
            use_flash_attention=True,
        )
        self.decoder = decoder
        self.quant_conv_mu = _convolution(2 * latent_channels, latent_channels, kernel_size=1)
        self.quant_conv_log_sigma = _convolution(2 * latent_channels, latent_channels, kernel_size=1)
        encoder_blocks = cast("torch.nn.ModuleList", self.encoder.blocks)
        encoder_blocks[-1] = _convolution(channels[-1], 2 * latent_channels, kernel_size=3)
        for blocks in (encoder_blocks, decoder.blocks):
            blocks[-2] = torch.nn.Sequential(blocks[-2], torch.nn.SiLU())


def _convolution(in_channels: int, out_channels: int, kernel_size: int) -> Convolution:
    return Convolution(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=kernel_size,
        padding=kernel_size // 2,
        conv_only=True,
    )
