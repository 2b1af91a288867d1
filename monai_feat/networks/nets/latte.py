# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A video transformer of softmax attention: the peer that claims for FEAT are held against.

Source: Latte (arXiv 2401.03048, variant 1), whose blocks Endora (arXiv 2403.11050) takes over: attention over space and
over time in turn, fixed sines for positions. Letters: B clips, T frames, h and w patches of a frame, D hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from monai_feat.checkpoints import Pretrained
from monai_feat.networks.blocks import AdaptiveModulation, PatchEmbedding, TimestepEmbedding, modulate, unpatchify

from .denoiser_inputs import check_channels, timesteps_per_clip

__all__ = ["Latte", "sines"]

_FOLDED = ("(b t) (h w) d", "(b h w) t d")  # over space, over time


def sines(places: Tensor, size: int) -> Tensor:
    """Return sines, then cosines, of places ``(N,)`` at half as many frequencies from 1 to 1/10000: ``(N, size)``."""
    frequencies = 10_000.0 ** -(torch.arange(size // 2, dtype=torch.float64, device=places.device) / (size / 2))
    angles = places.double()[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=1)


class LatteBlock(nn.Module):
    """Attention and a feed-forward network behind adaptive layer norms, over space or over time.

    Args:
        hidden_size: D.
        num_heads: heads of the attention.
        mlp_ratio: width of the feed-forward network, as a multiple of D.
        over_time: whether frames attend at each position, or positions in each frame.
    """

    def __init__(self, hidden_size: int, num_heads: int, mlp_ratio: float, over_time: bool) -> None:
        super().__init__()
        width = int(hidden_size * mlp_ratio)
        self.num_heads = num_heads
        self.folded = _FOLDED[over_time]
        self.norm = nn.LayerNorm(hidden_size, eps=1e-6, elementwise_affine=False)
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.mlp = nn.Sequential(nn.Linear(hidden_size, width), nn.GELU("tanh"), nn.Linear(width, hidden_size))
        self.modulation = AdaptiveModulation(hidden_size, num_vectors=6, activation=nn.SiLU())

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Transform tokens ``(B, T, h, w, D)`` given the clips' embedding ``(B, D)``."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(embedding)
        x = torch.addcmul(x, gate1, self._attend(modulate(self.norm(x), shift1, scale1)))
        return torch.addcmul(x, gate2, self.mlp(modulate(self.norm(x), shift2, scale2)))

    def _attend(self, x: Tensor) -> Tensor:
        sizes = dict(zip("bthw", x.shape, strict=False))
        qkv = rearrange(self.qkv(x), f"b t h w d -> {self.folded}")
        q, k, v = rearrange(qkv, "n l (three g d) -> three n g l d", three=3, g=self.num_heads)
        mixed = rearrange(F.scaled_dot_product_attention(q, k, v), "n g l d -> n l (g d)")
        output: Tensor = self.output(rearrange(mixed, f"{self.folded} -> b t h w d", **sizes))
        return output


class Latte(Pretrained):
    """Predict the noise of a noisy latent clip by attention over space and over time in turn.

    Args:
        in_channels: channels C of the clip.
        out_channels: channels of the prediction; 2·C where the variance is learned.
        patch_size: side of a patch; frames are a multiple of it.
        hidden_size: token size D; a multiple of 4.
        num_layers: blocks, of space and of time in turn, so an even number (the published ``depth``).
        num_heads: heads of the attention; divides ``hidden_size``.
        mlp_ratio: width of the feed-forward networks, as a multiple of D.

    Raises:
        ValueError: when a size does not fit.

    Example:
        >>> network = Latte(4, 8, hidden_size=32, num_layers=2, num_heads=2)
        >>> network(torch.randn(2, 4, 5, 8, 12), timesteps=torch.tensor([3, 700])).shape
        torch.Size([2, 8, 5, 8, 12])
    """

    weights_name = "latte.safetensors"

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 8,
        patch_size: int = 2,
        hidden_size: int = 1152,
        num_layers: int = 28,
        num_heads: int = 16,
        mlp_ratio: float = 4.0,
    ) -> None:
        super().__init__()
        if num_layers < 2 or num_layers % 2 or hidden_size % 4 or hidden_size % num_heads:
            raise ValueError(
                "expected an even num_layers, and a hidden_size that 4 and num_heads divide, got "
                f"{num_layers} layers, {hidden_size} channels, {num_heads} heads"
            )
        self._sizes = dict(in_channels=in_channels, out_channels=out_channels, patch_size=patch_size)
        self._sizes |= dict(hidden_size=hidden_size, num_layers=num_layers, num_heads=num_heads)
        self.mlp_ratio = mlp_ratio
        self.in_channels = in_channels
        self.patch_size = patch_size
        self.hidden_size = hidden_size
        self.patch_embedding = PatchEmbedding(in_channels, hidden_size, patch_size)
        self.timestep_embedding = TimestepEmbedding(hidden_size, activation=nn.SiLU())
        self.blocks = nn.ModuleList(
            LatteBlock(hidden_size, num_heads, mlp_ratio, over_time=index % 2 == 1) for index in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_size, eps=1e-6, elementwise_affine=False)
        self.modulation = AdaptiveModulation(hidden_size, num_vectors=2, activation=nn.SiLU())
        self.output = nn.Linear(hidden_size, patch_size**2 * out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise as published: Xavier, but for the timestep embedding (normal, 0.02) and what starts at zero."""
        for linear in (module for module in self.modules() if isinstance(module, nn.Linear)):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        for module in self.timestep_embedding.mlp:
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
        for modulation in (module for module in self.modules() if isinstance(module, AdaptiveModulation)):
            nn.init.zeros_(modulation.proj.weight)
        nn.init.zeros_(self.output.weight)

    def check_latents(self, shape: Sequence[int]) -> None:
        """Refuse the shape ``(C, T, H, W)`` of clips that this network cannot take, as `FEAT.check_latents` does."""
        check_channels(shape[0], self.in_channels)
        self.patch_embedding.check_size(*shape[-2:])

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        return {**self._sizes, "mlp_ratio": self.mlp_ratio}

    def forward(self, x: Tensor, timesteps: Tensor | float, context: None = None) -> Tensor:
        """Predict noise, and variance logits where they are learned.

        Args:
            x: noisy latent clips, ``(B, C, T, H, W)``.
            timesteps: a number, ``(1,)`` or ``(B,)``.
            context: None; this network takes no conditions.

        Returns:
            The prediction, ``(B, out_channels, T, H, W)``.

        Raises:
            ValueError: when a shape does not fit, or something is asked for.
        """
        if context is not None:
            raise ValueError("Latte is unconditional here: pass context=None")
        embedding = self.timestep_embedding(timesteps_per_clip(timesteps, x))  # (B, D)
        tokens = self.patch_embedding(x)  # (B, T, h, w, D)
        frames, height, width = tokens.shape[1:4]
        in_frames, in_time = self.positions(frames, height, width, x.device)
        tokens = self.blocks[0](tokens + in_frames.to(tokens.dtype), embedding) + in_time.to(tokens.dtype)
        for block in self.blocks[1:]:
            tokens = block(tokens, embedding)
        shift, scale = self.modulation(embedding)
        patches = self.output(modulate(self.norm(tokens), shift, scale))  # (B, T, h, w, p·p·out)
        return unpatchify(patches, self.patch_size)

    def positions(
        self, frames: int, height: int, width: int, device: torch.device | str | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the sines of places in a frame, ``(h, w, D)``, columns first, and of frames, ``(T, 1, 1, D)``."""
        rows, columns, times = (torch.arange(n, device=device) for n in (height, width, frames))
        half = self.hidden_size // 2
        across = sines(columns, half)[None].expand(height, -1, -1)
        down = sines(rows, half)[:, None].expand(-1, width, -1)
        return torch.cat((across, down), dim=-1), sines(times, self.hidden_size)[:, None, None]
