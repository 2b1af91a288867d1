# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions on channels-last clips.

Activations stay (B, T, H, W, C) throughout the network, which *is* PyTorch's channels-last memory format of
(B·T, C, H, W): the permutes below move no data, and the convolution takes the fast path.
"""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn

__all__ = ["FrameDepthwiseConv", "TemporalDepthwiseConv"]


class FrameDepthwiseConv(nn.Module):
    """3×3 depthwise convolution of each frame, zero-padded, without bias.

    Args:
        channels: number of channels C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``(B, T, H, W, C)`` over H and W."""
        num_clips = x.shape[0]
        frames: Tensor = self.conv(rearrange(x, "b t h w c -> (b t) c h w"))
        return rearrange(frames, "(b t) c h w -> b t h w c", b=num_clips)


class TemporalDepthwiseConv(nn.Module):
    """Depthwise convolution of three neighbouring frames at each position, zero-padded, without bias.

    Args:
        channels: number of channels C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=(3, 1), padding=(1, 0), groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``(B, T, H, W, C)`` over T."""
        height = x.shape[2]
        lines: Tensor = self.conv(rearrange(x, "b t h w c -> b c t (h w)"))
        return rearrange(lines, "b c t (h w) -> b t h w c", h=height)
