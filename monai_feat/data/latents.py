# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips as the moments of their latents, each encoded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

__all__ = ["ClipIndexDataset", "LatentDataset"]


class LatentDataset(Dataset[dict[str, Tensor]]):
    """Encode each clip of a data set when it is first asked for, and keep the moments of its latents in memory.

    The moments, mean and log-variance, are kept rather than a sample, so that training can draw new latents at every
    step. The first epoch pays for the encoding; load it in the main process (``num_workers=0``), for worker processes
    would each encode for themselves.

    Args:
        dataset: items with a clip under ``image``, ``(C, T, H, W)`` in [-1, 1].
        autoencoder: a network with ``encode_moments``, such as `FrameAutoencoder`; its device is used.

    Example:
        >>> from monai_feat.data import PhantomDataset
        >>> class Halve(nn.Module):
        ...     def encode_moments(self, x):
        ...         return x[..., ::2, ::2], torch.zeros_like(x[..., ::2, ::2])
        >>> item = LatentDataset(PhantomDataset("ultrasound", length=1, size=32, num_frames=2), Halve())[0]
        >>> sorted(item), tuple(item["latent_mean"].shape)
        (['latent_log_variance', 'latent_mean'], (1, 2, 16, 16))
    """

    def __init__(self, dataset: Dataset[dict[str, Any]], autoencoder: nn.Module) -> None:
        self.dataset = dataset
        self.autoencoder = autoencoder
        self._items: dict[int, dict[str, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if index not in self._items:
            self._items[index] = self._encode(self.dataset[index]["image"])
        return self._items[index]

    @torch.no_grad()
    def _encode(self, clip: Tensor) -> dict[str, Tensor]:
        device = next(self.autoencoder.parameters(), clip).device
        encode_moments: Callable[[Tensor], tuple[Tensor, Tensor]] = self.autoencoder.encode_moments  # type: ignore[assignment]
        mean, log_variance = encode_moments(clip[None].to(device))
        return {"latent_mean": mean[0].cpu(), "latent_log_variance": log_variance[0].cpu()}


class ClipIndexDataset(Dataset[dict[str, Tensor]]):
    """The indices of clips that are to be sampled; what stands in for data when nothing is read.

    Args:
        num_clips: how many clips.
        first: index of the first one. A clip depends on the seed and its index, so the next clips of a series start
            where it ended.

    Raises:
        ValueError: when a number is negative.

    Example:
        >>> ClipIndexDataset(3, first=10)[2]
        {'image': tensor(12)}
    """

    def __init__(self, num_clips: int, first: int = 0) -> None:
        if num_clips < 0 or first < 0:
            raise ValueError(f"num_clips and first must not be negative, got {num_clips} and {first}")
        self.num_clips = num_clips
        self.first = first

    def __len__(self) -> int:
        return self.num_clips

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if not 0 <= index < self.num_clips:
            raise IndexError(f"index {index} is outside 0 … {self.num_clips - 1}")
        return {"image": torch.tensor(self.first + index)}
