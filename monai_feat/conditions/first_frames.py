# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The first frames of a clip, to be continued."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_feat.conditions.condition import Condition, Draws, PromptClips
from monai_feat.conditions.context import NONE
from monai_feat.conditions.registry import register_condition
from monai_feat.networks.blocks.embeddings import PatchEmbedding

__all__ = ["FirstFramesCondition", "FirstFramesEmbedding"]


@register_condition
@dataclass(frozen=True)
class FirstFramesCondition(Condition):
    """The first frames, to be continued; values are their latents ``(B, C, k, H, W)``, k at most ``max_frames``.

    A frame that is −1 throughout is none, so that clips of one batch may be given different numbers of frames.

    Args:
        name: of the condition.
        max_frames: greatest number of frames that can be given.

    Raises:
        ValueError: when that is none.
    """

    name: str = "first_frames"
    max_frames: int = 1
    per_clip: ClassVar[bool] = False
    from_data: ClassVar[bool] = False
    prompt_types: ClassVar[tuple[type, ...]] = (str, os.PathLike)
    prompt: ClassVar[str] = "a file"

    def __post_init__(self) -> None:
        if self.max_frames < 1:
            raise ValueError(f"{self.name}: max_frames must be at least 1, got {self.max_frames}")

    @property
    def bounds(self) -> str:
        """Values that the condition takes, in words."""
        return f"1 to {self.max_frames} frames" if self.max_frames > 1 else "1 frame"

    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value whether it is finite: latents have no bounds."""
        return values.isfinite()

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make an embedding of patches."""
        return FirstFramesEmbedding(in_channels, hidden_size, patch_size)

    def check_shape(self, values: Tensor, latent_shape: Sequence[int]) -> None:
        """Refuse frames of another size, or too many.

        Raises:
            ValueError: naming both shapes.
        """
        clips, channels, num_frames, *size = latent_shape
        most = min(self.max_frames, num_frames)
        frames = values.shape[2] if values.ndim == 5 else 0
        if tuple(values.shape) != (clips, channels, frames, *size) or not 1 <= frames <= most:
            raise ValueError(
                f"{self.name}: got {tuple(values.shape)}; it takes latents of 1 to {most} frames of the clips' own "
                f"size, at most {(clips, channels, most, *size)}"
            )

    def training_values(self, batch: Mapping[str, Tensor], latents: Tensor, draws: Draws) -> Tensor:
        """Take the first frames of the latents, as many as chance says."""
        return self.draw(latents, draws.uniform()[:, 0])

    def read_prompts(self, prompts: Sequence[Any], clips: PromptClips) -> Tensor:
        """Encode the first frames of files, ``(n, C, k, H, W)``; where one has fewer frames, the rest is none."""
        most = min(self.max_frames, clips.num_frames)
        latents = [clips.encode(clips.frames(self.name, file, most)) for file in prompts]
        return torch.cat([F.pad(each, (0, 0, 0, 0, 0, most - each.shape[2]), value=NONE) for each in latents])

    def draw(self, latents: Tensor, chances: Tensor) -> Tensor:
        """Take the first 1 to ``max_frames`` frames of each clip, as many as chance says; the rest is none.

        Args:
            latents: ``(B, C, T, H, W)``.
            chances: numbers drawn evenly from [0, 1), ``(B,)``.

        Returns:
            ``(B, C, max_frames, H, W)``; T frames where the clips are shorter.
        """
        frames = latents[:, :, : self.max_frames]
        counts = 1 + (chances * frames.shape[2]).long().reshape(-1, 1, 1, 1, 1).to(frames.device)
        given = torch.arange(frames.shape[2], device=frames.device).reshape(1, 1, -1, 1, 1) < counts
        return torch.where(given, frames, torch.full_like(frames, NONE))


class FirstFramesEmbedding(nn.Module):
    """Embed the patches of the frames that are given, beside a channel that says which these are.

    Args:
        in_channels: latent channels C.
        hidden_size: size of the embedding.
        patch_size: side of a patch.
    """

    def __init__(self, in_channels: int, hidden_size: int, patch_size: int) -> None:
        super().__init__()
        self.patches = PatchEmbedding(in_channels + 1, hidden_size, patch_size, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at zero."""
        nn.init.zeros_(self.patches.proj.weight)

    def forward(self, frames: Tensor, latent_size: tuple[int, int, int]) -> Tensor:
        """Embed ``(B, C, k, H, W)`` as ``(B, T, h, w, D)``; a frame that is −1 throughout is none.

        Args:
            frames: latents of the first frames.
            latent_size: of the clip, (T, H, W).
        """
        known = (frames != NONE).any(dim=(1, 3, 4), keepdim=True)  # (B, 1, k, 1, 1)
        channels = torch.cat((frames, torch.ones_like(frames[:, :1])), dim=1) * known
        channels = F.pad(channels, (0, 0, 0, 0, 0, latent_size[0] - frames.shape[2]))  # (B, C+1, T, H, W)
        tokens: Tensor = self.patches(channels.to(self.patches.proj.weight.dtype))
        return tokens
