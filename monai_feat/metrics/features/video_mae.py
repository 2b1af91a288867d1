# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""VideoMAE, the network of the content-debiased Fréchet video distance (CD-FVD).

Letters: B clips, C channels, T frames, H × W pixels, L tokens, D features.
"""

from __future__ import annotations

import math
import os

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_feat.metrics.features.published import PublishedFeatures
from monai_feat.metrics.features.weights import load_strictly, load_tensors

__all__ = ["VideoMAE", "VideoMAEFeatures", "resize_for_cdfvd"]

LOADER_SIDE = 256
CLASSIFIER = ("head.weight", "head.bias")  # published with the weights, and of no use for features


class VideoMAE(nn.Module):
    """Vision transformer on tubelets of a clip, with the parameter names of the published checkpoints.

    Source: Wang et al. 2023, VideoMAE V2 (arXiv 2303.16727). Tubelets are embedded linearly, and a fixed code of their
    running number is added; the tokens of the last block are averaged, then normalised. Defaults are ViT-g.

    Args:
        frame_size: H and W, a multiple of `patch_size`.
        num_frames: T, a multiple of `tubelet_size`.
        patch_size: pixels that a token is high and wide.
        tubelet_size: frames that a token lasts.
        hidden_size: D, a multiple of `num_heads`.
        num_layers: blocks.
        num_heads: heads of the attention.
        mlp_ratio: inner width of the feed-forward network, in D.

    Raises:
        ValueError: a size is not the multiple that it should be.
    """

    def __init__(
        self,
        frame_size: int = 224,
        num_frames: int = 16,
        patch_size: int = 14,
        tubelet_size: int = 2,
        hidden_size: int = 1408,
        num_layers: int = 40,
        num_heads: int = 16,
        mlp_ratio: float = 48 / 11,
    ) -> None:
        super().__init__()
        for size, part in ((frame_size, patch_size), (num_frames, tubelet_size), (hidden_size, num_heads)):
            if size % part:
                raise ValueError(f"VideoMAE: expected a multiple of {part}, got {size}")
        self.frame_size = frame_size
        self.num_frames = num_frames
        self.hidden_size = hidden_size
        self.patch_embed = _PatchEmbedding(hidden_size, (tubelet_size, patch_size, patch_size))
        self.blocks = nn.ModuleList(
            _Block(hidden_size, num_heads, int(hidden_size * mlp_ratio)) for _ in range(num_layers)
        )
        self.fc_norm = nn.LayerNorm(hidden_size, eps=1e-6)
        num_tokens = (num_frames // tubelet_size) * (frame_size // patch_size) ** 2
        self.register_buffer("position", _position_code(num_tokens, hidden_size), persistent=False)
        self.position: Tensor

    def forward(self, clips: Tensor) -> Tensor:
        """Return features ``(B, D)`` of clips ``(B, 3, T, H, W)`` in [0, 1]."""
        x = self.patch_embed(clips) + self.position  # (B, L, D)
        for block in self.blocks:
            x = block(x)
        features: Tensor = self.fc_norm(x.mean(dim=1))
        return features  # (B, D)


class VideoMAEFeatures(PublishedFeatures):
    """The 1408 pooled features of VideoMAE's ViT-g: what CD-FVD is measured on.

    Source: Ge et al. 2024 (CD-FVD, arXiv 2404.12391), whose protocol is followed here: pixels / 255, resized to 224 px
    by bilinear interpolation without antialias, no mean and no standard deviation. Its loader comes before that and is
    no part of the network: see `resize_for_cdfvd`. Square frames, since that loader yields no others.

    Args:
        path: of the weights, ``fetch_weights("video_mae")``, or of the same tensors as safetensors.
        network: an architecture for other weights; None for ViT-g, which takes 4 GB of memory (6.5 while it is read).

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is damaged, or its tensors do not fit the network.
    """

    name = "video_mae"
    takes = "clips"
    published = ("video_mae",)

    def __init__(self, path: str | os.PathLike[str], network: VideoMAE | None = None) -> None:
        network = _empty_giant() if network is None else network
        tensors = {name: value for name, value in load_tensors(path).items() if name not in CLASSIFIER}
        super().__init__(load_strictly(network, tensors, str(path)), path)
        self.side = network.frame_size
        self.num_features = network.hidden_size
        self.num_frames = network.num_frames
        self.preparation = f"x / 255; bilinear to {self.side} px, without antialias"

    def prepare(self, pixels: Tensor) -> Tensor:
        """Return clips ``(B, 3, T, 224, 224)`` in [0, 1] of uint8 RGB clips ``(B, 3, T, H, W)``."""
        frames = (pixels.float() / 255).flatten(0, 1)  # (B·3, T, H, W)
        frames = F.interpolate(frames, (self.side, self.side), mode="bilinear", align_corners=False)
        return frames.reshape(*pixels.shape[:-2], self.side, self.side)

    def features(self, pixels: Tensor) -> Tensor:
        """Return features ``(B, 1408)`` of uint8 RGB clips ``(B, 3, T, H, W)``."""
        features: Tensor = self.network(self.prepare(pixels))
        return features


def resize_for_cdfvd(clips: Tensor, side: int = LOADER_SIDE) -> Tensor:
    """Resize clips as the loader of CD-FVD does before its network sees them, bug for bug.

    The short side becomes `side` by antialiased bilinear interpolation, the centre is cut out, and levels are
    truncated, not rounded: what is resized gets darker by half a level on average, and other frames stay.

    Args:
        clips: uint8 ``(B, C, T, H, W)``.
        side: of the result; 256 in ``load_videos`` of cd-fvd.

    Returns:
        uint8 ``(B, C, T, side, side)``.

    Raises:
        ValueError: there are not five dimensions, or pixels are not uint8.

    Example:
        >>> resize_for_cdfvd(torch.zeros(1, 3, 2, 96, 128, dtype=torch.uint8), side=32).shape
        torch.Size([1, 3, 2, 32, 32])
    """
    if clips.ndim != 5 or clips.dtype != torch.uint8:
        raise ValueError(f"expected uint8 clips (B, C, T, H, W), got {clips.dtype} of shape {tuple(clips.shape)}")
    height, width = clips.shape[-2:]
    scale = side / min(height, width)
    size = (side, math.ceil(width * scale)) if height < width else (math.ceil(height * scale), side)
    frames = (clips.float() / 255).flatten(0, 1)  # (B·C, T, H, W)
    frames = F.interpolate(frames, size, mode="bilinear", align_corners=False, antialias=True)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    frames = frames[..., top : top + side, left : left + side]
    return (frames * 255).to(torch.uint8).reshape(*clips.shape[:-2], side, side)


class _PatchEmbedding(nn.Module):
    def __init__(self, hidden_size: int, size: tuple[int, int, int]) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, hidden_size, kernel_size=size, stride=size)

    def forward(self, clips: Tensor) -> Tensor:
        tokens: Tensor = self.proj(clips)  # (B, D, T', H', W')
        return tokens.flatten(2).transpose(1, 2)  # (B, L, D)


class _Attention(nn.Module):
    """Multi-head self-attention with a bias of queries and values, but none of keys."""

    def __init__(self, hidden_size: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(hidden_size))
        self.v_bias = nn.Parameter(torch.zeros(hidden_size))
        self.proj = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias).unflatten(-1, (3, self.num_heads, -1))  # (B, L, 3, heads, D / heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, heads, L, D / heads) each
        x = F.scaled_dot_product_attention(q, k, v)
        output: Tensor = self.proj(x.transpose(1, 2).flatten(2))
        return output  # (B, L, D)


class _FeedForward(nn.Module):
    def __init__(self, hidden_size: int, inner_size: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(hidden_size, inner_size)
        self.fc2 = nn.Linear(inner_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return output


class _Block(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, inner_size: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden_size, eps=1e-6)
        self.attn = _Attention(hidden_size, num_heads)
        self.norm2 = nn.LayerNorm(hidden_size, eps=1e-6)
        self.mlp = _FeedForward(hidden_size, inner_size)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        output: Tensor = x + self.mlp(self.norm2(x))
        return output  # (B, L, D)


def _position_code(num_tokens: int, hidden_size: int) -> Tensor:
    """Return ``(L, D)``: sin(l / 10000^(d / D)) in even columns d, the cosine of the same angle in the odd ones.

    Source: Vaswani et al. 2017, section 3.5. On the CPU even where the network is made without memory: it is not saved.
    """
    column = torch.arange(hidden_size, dtype=torch.float64, device="cpu")
    token = torch.arange(num_tokens, dtype=torch.float64, device="cpu")[:, None]
    even = 2 * (column // 2)
    angle = token / 10000 ** (even / hidden_size)
    return torch.where(column == even, angle.sin(), angle.cos()).float()


def _empty_giant() -> VideoMAE:
    with torch.device("meta"):
        return VideoMAE()
