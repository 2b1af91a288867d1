# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What FEAT is measured against beside `Latte`: its published architecture written out plainly.

`PlainFEAT` does what the published code does, as that code lays it out: frames folded into the batch, a copy between
tokens and channels-first maps around every convolution, separate maps for keys, values and receptance, and the
modulation computed for every frame and every position. Its scan is ours, which stands in for its CUDA kernel.

Letters: N folded frames or positions, L tokens, D hidden size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from monai_feat.ops import bi_wkv

__all__ = ["PlainFEAT"]


class _Map(nn.Module):
    """A convolution of a token sequence laid out as a map."""

    def __init__(self, channels: int, out: int, groups: int = 1, size: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, size, padding=size // 2, groups=groups, bias=False)

    def forward(self, x: Tensor, height: int) -> Tensor:
        maps = rearrange(x, "n (h w) d -> n d h w", h=height).contiguous()
        return rearrange(self.conv(maps), "n d h w -> n (h w) d").contiguous()


class _FeedForward(nn.Module):
    def __init__(self, size: int, ratio: float) -> None:
        super().__init__()
        width = int(size * ratio)
        self.first, self.last = _Map(size, 2 * width), _Map(width, size)
        self.local = _Map(2 * width, 2 * width, 2 * width, 3)

    def forward(self, x: Tensor, height: int) -> Tensor:
        gate, value = self.local(self.first(x, height), height).chunk(2, dim=-1)
        return self.last(F.gelu(gate) * value, height)


class _Mixing(nn.Module):
    def __init__(self, size: int, scans: int) -> None:
        super().__init__()
        self.local = _Map(size, size, size, 3)
        self.key, self.value, self.receptance, self.output = (nn.Linear(size, size, bias=False) for _ in range(4))
        self.decay, self.bonus = (nn.Parameter(torch.randn(scans, size)) for _ in range(2))
        self.alpha = nn.Parameter(torch.zeros(2, size))

    def forward(self, x: Tensor, guide: Tensor, height: int) -> Tensor:
        x = x + self.local(x, height) if height else x
        k, v, gate = self.key(x), self.value(x), torch.sigmoid(self.receptance(x))
        y = v + self.alpha[0] * guide
        for i in range(len(self.decay)):
            y = bi_wkv(self.decay[i] / k.shape[1], self.bonus[i] / k.shape[1], k.contiguous(), y.contiguous())
            if height and len(self.decay) > 1:  # the other order of the frame's tokens
                h = height if i == 0 else x.shape[1] // height
                k, y = (rearrange(z, "n (h w) d -> n (w h) d", h=h) for z in (k, y))
        return self.output(gate * (y + self.alpha[1] * (guide - v)))


class _ChannelMixing(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.qkv, self.local, self.output = (
            _Map(size, 3 * size),
            _Map(3 * size, 3 * size, 3 * size, 3),
            _Map(size, size),
        )
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))

    def forward(self, x: Tensor, guide: Tensor, height: int) -> Tensor:
        heads = len(self.temperature)
        qkv = self.local(self.qkv(x, height), height)
        q, k, v = rearrange(qkv, "n l (three g d) -> three n g d l", three=3, g=heads)
        weights = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT * self.temperature).softmax(dim=-1)
        return self.output(rearrange(weights @ v, "n g d l -> n l (g d)"), height)


class _Block(nn.Module):
    def __init__(self, mixing: nn.Module, size: int, ratio: float) -> None:
        super().__init__()
        self.mixing, self.feed_forward = mixing, _FeedForward(size, ratio)
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(size, 6 * size))

    def forward(self, x: Tensor, embedding: Tensor, guide: Tensor, height: int) -> Tensor:
        """Mix ``(N, L, D)``, given an embedding for each of N."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(embedding)[:, None].chunk(6, dim=-1)
        x = x + gate1 * self.mixing(self.norm1(x) * (1 + scale1) + shift1, guide, height)
        return x + gate2 * self.feed_forward(self.norm2(x) * (1 + scale2) + shift2, height)


class PlainFEAT(nn.Module):
    """The published architecture; the temporal block's feed-forward sees the positions as frames of one row."""

    def __init__(
        self, hidden_size: int, num_layers: int, num_heads: int, mlp_ratio: float, patch_size: int = 2
    ) -> None:
        super().__init__()
        self.patch = nn.Conv2d(4, hidden_size, patch_size, patch_size)
        self.time = nn.Sequential(nn.Linear(256, hidden_size), nn.SiLU(), nn.Linear(hidden_size, hidden_size))
        kinds = _Mixing(hidden_size, 2), _Mixing(hidden_size, 1), _ChannelMixing(hidden_size, num_heads)
        self.layers = nn.ModuleList(
            nn.ModuleList(_Block(kind, hidden_size, mlp_ratio) for kind in kinds) for _ in range(num_layers)
        )
        self.last = nn.Linear(hidden_size, patch_size**2 * 8)
        self.patch_size = patch_size

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        """Map clips ``(B, C, T, H, W)``."""
        frames = x.shape[2]
        maps = self.patch(rearrange(x, "b c t h w -> (b t) c h w"))
        height = maps.shape[2]
        guide = tokens = rearrange(maps, "n d h w -> n (h w) d").contiguous()
        embedding = self.time(timesteps[:, None].expand(-1, 256))
        per_frame, per_place = (repeat(embedding, "b d -> (b n) d", n=n) for n in (frames, tokens.shape[1]))
        for space, time, channels in self.layers:
            tokens = space(tokens, per_frame, guide, height)
            turned = [rearrange(z, "(b t) l d -> (b l) t d", t=frames).contiguous() for z in (tokens, guide)]
            turned[0] = time(turned[0], per_place, turned[1], 1)
            tokens = rearrange(turned[0], "(b l) t d -> (b t) l d", b=x.shape[0]).contiguous()
            tokens = channels(tokens, per_frame, guide, height)
        p = self.patch_size
        return rearrange(self.last(tokens), "(b t) (h w) (p q c) -> b c t (h p) (w q)", t=frames, h=height, p=p, q=p)
