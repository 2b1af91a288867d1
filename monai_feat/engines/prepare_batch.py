# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From a batch of clips to what MONAI's trainer and diffusion inferer take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.engines.utils import DiffusionPrepareBatch, PrepareBatch
from torch import Tensor

from monai_feat.networks.nets import FrameAutoencoder, sample_posterior

__all__ = ["LatentDiffusionPrepareBatch", "ReconstructionPrepareBatch"]


class LatentDiffusionPrepareBatch(DiffusionPrepareBatch):
    """Encode clips, draw noise and timesteps, and return the target that `HybridDiffusionLoss` takes.

    A batch holds clips under ``image``, ``(B, C, T, H, W)`` in [-1, 1], or their encoder moments under ``latent_mean``
    and ``latent_log_variance`` (see `monai_feat.data.LatentDataset`). Either way latents are drawn anew from the
    encoder's Gaussian at every step, so that no draw is frozen into the training set.

    Args:
        autoencoder: encodes clips and knows the scale of its latents. It is frozen: put into evaluation mode, without
            gradients.
        num_train_timesteps: timesteps are drawn uniformly from 0 … num_train_timesteps − 1.
    """

    def __init__(self, autoencoder: FrameAutoencoder, num_train_timesteps: int = 1000) -> None:
        super().__init__(num_train_timesteps=num_train_timesteps)
        self.autoencoder = autoencoder.eval().requires_grad_(False)

    def __call__(  # type: ignore[override]
        self,
        batchdata: Mapping[str, Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, dict[str, Tensor], tuple[Any, ...], dict[str, Tensor]]:
        """Return latents, the loss's target, no arguments, and the inferer's noise and timesteps.

        Raises:
            ValueError: when the batch holds neither clips nor moments.
        """
        moments = self._moments(batchdata, device)
        mean, log_variance = (moment.to(device, non_blocking=non_blocking, **kwargs) for moment in moments)
        latents = sample_posterior(mean, log_variance, torch.randn_like(mean)) * self.autoencoder.scale_factor
        noise = self.get_noise(latents)
        timesteps = self.get_timesteps(latents)
        target = {"noise": noise, "x0": latents, "timesteps": timesteps}
        return latents, target, (), {"noise": noise, "timesteps": timesteps}

    def _moments(self, batch: Mapping[str, Tensor], device: str | torch.device | None) -> tuple[Tensor, Tensor]:
        if "latent_mean" in batch:
            return batch["latent_mean"], batch["latent_log_variance"]
        if "image" in batch:
            with torch.no_grad():
                return self.autoencoder.encode_moments(batch["image"].to(device))
        raise ValueError(
            f"a batch needs 'image', or 'latent_mean' and 'latent_log_variance'; this one has {sorted(batch)}"
        )


class ReconstructionPrepareBatch(PrepareBatch):
    """Take the clips of a batch, under ``image``, as input and target both: what an autoencoder is trained on."""

    def __call__(
        self,
        batchdata: Mapping[str, Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor]:
        """Return the clips twice, on the device."""
        clips = batchdata["image"].to(device, non_blocking=non_blocking, **kwargs)
        return clips, clips
