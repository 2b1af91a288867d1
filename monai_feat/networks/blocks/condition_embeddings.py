# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What turns the value of a condition into an embedding of its clip, or of the clip's patches.

Everywhere −1 stands for "none", as MONAI's inferers fill the unconditional half of a guided batch, and none adds
nothing. All starts at zero, so that a new condition leaves a trained network as it was.

Letters: B clips, C latent channels, T frames, H and W latent rows and columns, h and w the same in patches, D hidden
size, k known frames.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_feat.networks.blocks.embeddings import PatchEmbedding, TimestepEmbedding

__all__ = ["NONE", "ClassEmbedding", "FirstFramesEmbedding", "MaskEmbedding", "ScalarEmbedding"]

NONE = -1


class ClassEmbedding(nn.Module):
    """Look up a learned vector for each class.

    Args:
        num_classes: number of classes.
        hidden_size: size of the embedding.
    """

    def __init__(self, num_classes: int, hidden_size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_classes, hidden_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at zero."""
        nn.init.zeros_(self.table.weight)

    def forward(self, labels: Tensor) -> Tensor:
        """Embed labels ``(B,)``, 0 … num_classes − 1 or −1 for none, as ``(B, D)``."""
        known = labels != NONE
        vectors: Tensor = self.table(labels.long().clamp(min=0))
        return vectors * known[:, None].to(vectors.dtype)


class ScalarEmbedding(nn.Module):
    """Embed a number by slow waves over its range and two linear maps.

    The fastest wave turns about three times over the range, so that neighbouring values have similar embeddings. The
    range is saved with the weights, and weights of another range are refused.

    Args:
        minimum: least value.
        maximum: greatest value.
        hidden_size: size of the embedding.
    """

    SPAN, MAX_PERIOD, NUM_WAVES = 20.0, 100.0, 64

    bounds: Tensor

    def __init__(self, minimum: float, maximum: float, hidden_size: int) -> None:
        super().__init__()
        self.minimum, self.maximum = minimum, maximum
        self.waves = TimestepEmbedding(hidden_size, self.NUM_WAVES, self.MAX_PERIOD)
        self.register_buffer("bounds", torch.tensor([minimum, maximum]))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let the embedding start at zero."""
        for parameter in self.waves.mlp[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, values: Tensor) -> Tensor:
        """Embed values ``(B,)``, within the range or −1 for none, as ``(B, D)``."""
        known = values != NONE
        share = (values.float() - self.minimum) / (self.maximum - self.minimum)
        vectors: Tensor = self.waves(share.clamp(0, 1) * self.SPAN)
        return vectors * known[:, None].to(vectors.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        trained = state_dict.get(f"{prefix}bounds")
        if trained is not None and not torch.allclose(trained.float().cpu(), self.bounds.float().cpu(), rtol=1e-2):
            low, high = trained.tolist()
            errors: list[str] = args[-1]
            errors.append(
                f"{prefix.rstrip('.')} was trained for {low:g} to {high:g}, and is defined here for "
                f"{self.minimum:g} to {self.maximum:g}"
            )
        super()._load_from_state_dict(state_dict, prefix, *args)


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
