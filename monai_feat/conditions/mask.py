# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A mask for every frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_feat.conditions.condition import Condition, Draws, PromptClips, is_index
from monai_feat.conditions.context import NONE
from monai_feat.conditions.registry import register_condition
from monai_feat.networks.blocks.embeddings import PatchEmbedding
from monai_feat.transforms.labels import UNKNOWN_LABEL

__all__ = ["MaskCondition", "MaskEmbedding"]


@register_condition
@dataclass(frozen=True)
class MaskCondition(Condition):
    """A mask for every frame; values are labels ``(B, 1, T, f·H, f·W)``, whole numbers of any dtype.

    A pixel of −1 is none: its label is not asked for.

    Args:
        name: of the condition.
        num_labels: number of labels, the background, 0, among them.

    Raises:
        ValueError: when there is nothing but background.
    """

    name: str = "label"
    num_labels: int = 2
    per_clip: ClassVar[bool] = False
    prompt_types: ClassVar[tuple[type, ...]] = (str, os.PathLike)
    prompt: ClassVar[str] = "a file of masks, or a source of clips that have them"

    def __post_init__(self) -> None:
        if self.num_labels < 2:
            raise ValueError(f"{self.name}: num_labels must be at least 2, got {self.num_labels}")

    @property
    def mask_classes(self) -> int:
        """Number of labels, the background among them."""
        return self.num_labels

    @property
    def bounds(self) -> str:
        """Values that the condition takes, in words."""
        return f"masks with labels from 0 to {self.num_labels - 1}"

    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value whether it is a label or none."""
        return is_index(values, self.num_labels)

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make an embedding of patches."""
        return MaskEmbedding(self.num_labels, hidden_size, patch_size)

    def check_shape(self, values: Tensor, latent_shape: Sequence[int]) -> None:
        """Refuse masks of other clips or frames, or whose size is not a multiple of the latents'.

        Raises:
            ValueError: naming both shapes.
        """
        clips, _, num_frames, height, width = latent_shape
        fits = values.ndim == 5 and tuple(values.shape[:3]) == (clips, 1, num_frames)
        factor = values.shape[-1] // width
        if not fits or tuple(values.shape[3:]) != (factor * height, factor * width) or not factor:
            raise ValueError(
                f"{self.name}: got masks {tuple(values.shape)}; it takes {(clips, 1, num_frames)} and rows and columns "
                f"that are a multiple of the latents', {height}×{width}"
            )

    def training_values(self, batch: Mapping[str, Tensor], latents: Tensor, draws: Draws) -> Tensor:
        """Take the masks of a batch; pixels of `monai_feat.transforms.UNKNOWN_LABEL` are none."""
        return _known_labels(self.from_batch(batch))

    def read_prompts(self, prompts: Sequence[Any], clips: PromptClips) -> Tensor:
        """Read the masks of files, one each, and of sources, one for each of their clips: ``(n, 1, T, f·H, f·W)``.

        Raises:
            ValueError: a file has fewer frames than the clips.
        """
        return _known_labels(torch.cat([self._read(prompt, clips) for prompt in prompts]))

    def _read(self, prompt: Any, clips: PromptClips) -> Tensor:
        masks = clips.masks(prompt, self.num_labels)
        return self._read_file(prompt, clips)[None] if masks is None else masks

    def _read_file(self, file: Any, clips: PromptClips) -> Tensor:
        masks = clips.frames(self.name, file, clips.num_frames)
        if masks.shape[1] != clips.num_frames:
            raise ValueError(
                f"{self.name}: {file} has {masks.shape[1]} frames; each of the {clips.num_frames} needs a mask"
            )
        return masks[:1]


class MaskEmbedding(nn.Module):
    """Embed, for each patch, the share of each of its latent pixels that each label covers.

    Args:
        num_labels: number of labels, the background among them.
        hidden_size: size of the embedding.
        patch_size: side of a patch.
    """

    def __init__(self, num_labels: int, hidden_size: int, patch_size: int) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.patches = PatchEmbedding(num_labels, hidden_size, patch_size, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at zero."""
        nn.init.zeros_(self.patches.proj.weight)

    def forward(self, masks: Tensor, latent_size: tuple[int, int, int]) -> Tensor:
        """Embed ``(B, 1, T, f·H, f·W)`` as ``(B, T, h, w, D)``; a pixel of −1 is none.

        Args:
            masks: labels 0 … num_labels − 1.
            latent_size: of the clip, (T, H, W).
        """
        labels = torch.arange(self.num_labels, device=masks.device).reshape(1, -1, 1, 1, 1)
        covers = (masks == labels).to(self.patches.proj.weight.dtype)  # (B, labels, T, f·H, f·W)
        shares = F.adaptive_avg_pool3d(covers, latent_size)  # (B, labels, T, H, W)
        tokens: Tensor = self.patches(shares)
        return tokens


def _known_labels(masks: Tensor) -> Tensor:
    """Make masks, any whole numbers, int16, in which unlabelled pixels are none."""
    return masks.to(torch.int16).masked_fill(masks == UNKNOWN_LABEL, NONE)
