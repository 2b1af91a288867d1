# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From a batch of clips to what MONAI's trainer and diffusion inferer take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from monai.engines.utils import DiffusionPrepareBatch, PrepareBatch
from torch import Tensor

from monai_feat.conditions import Condition, drop_conditions, training_context
from monai_feat.handlers.epoch_seed import clip_seeds
from monai_feat.inferers import ClipNoise
from monai_feat.networks.nets import FrameAutoencoder, sample_posterior

__all__ = ["LatentDiffusionPrepareBatch", "ReconstructionPrepareBatch"]


class LatentDiffusionPrepareBatch(DiffusionPrepareBatch):
    """Encode clips, draw noise and timesteps, and return the target that the losses of diffusion take.

    A batch holds clips under ``image``, ``(B, C, T, H, W)`` in [-1, 1], or their encoder moments under ``latent_mean``
    and ``latent_log_variance`` (see `monai_feat.data.LatentDataset`). Either way latents are drawn anew from the
    encoder's Gaussian at every step, so that no draw is frozen into the training set. All draws of a clip are those of
    its own seed, if the batch has them; see `EpochSeed`.

    Args:
        autoencoder: encodes clips and knows the scale of its latents. It is frozen: put into evaluation mode, without
            gradients.
        num_train_timesteps: timesteps are drawn uniformly from 0 … num_train_timesteps − 1.
        conditions: those of the network; a batch holds the values of each under its name, ``(B, ...)``.
        drop_probability: how often the value of a clip is replaced by none, so that guidance has something to compare
            with; see `drop_conditions`.
        draw_timesteps: maps latents to the timesteps ``(B,)`` to train them at, such as the `sample_timesteps` of
            MONAI's `RFlowScheduler`; None draws them uniformly as above.

    Raises:
        ValueError: when the probability is not in [0, 1].
    """

    def __init__(
        self,
        autoencoder: FrameAutoencoder,
        num_train_timesteps: int = 1000,
        conditions: Sequence[Condition] = (),
        drop_probability: float = 0.1,
        draw_timesteps: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(num_train_timesteps=num_train_timesteps)
        if not 0 <= drop_probability <= 1:
            raise ValueError(f"drop_probability must be in [0, 1], got {drop_probability}")
        self.autoencoder = autoencoder.eval().requires_grad_(False)
        self.conditions = tuple(conditions)
        self.drop_probability = drop_probability
        self.draw_timesteps = draw_timesteps

    def __call__(  # type: ignore[override]
        self,
        batchdata: Mapping[str, Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, dict[str, Tensor], tuple[Any, ...], dict[str, Any]]:
        """Return latents, the loss's target, no arguments, and the inferer's noise, timesteps and condition.

        Raises:
            ValueError: when the batch holds neither clips nor moments, or lacks the values of a condition, or they are
                out of bounds.
        """
        moments = self._moments(batchdata, device)
        mean, log_variance = (moment.to(device, non_blocking=non_blocking, **kwargs) for moment in moments)
        seeds = clip_seeds(batchdata, len(mean))
        draws = ClipNoise(0, seeds, mean.shape[1:])
        posterior_noise, noise = (draws.draw(mean.dtype, mean.device) for _ in range(2))
        latents = sample_posterior(mean, log_variance, posterior_noise) * self.autoencoder.scale_factor
        timesteps = self._timesteps(latents, draws, seeds)
        target = {"noise": noise, "x0": latents, "timesteps": timesteps}
        inputs: dict[str, Any] = {"noise": noise, "timesteps": timesteps}
        if self.conditions:
            context = training_context(self.conditions, batchdata, latents, draws)
            inputs["condition"] = drop_conditions(context, self.drop_probability, draws)
        return latents, target, (), inputs

    def _timesteps(self, latents: Tensor, draws: ClipNoise, seeds: Tensor) -> Tensor:
        """Draw a timestep for each clip, ``(B,)``, from its own randomness."""
        if self.draw_timesteps is None:
            return (draws.uniform()[:, 0] * self.num_train_timesteps).long().to(latents.device)
        alike, drawn = torch.empty(1, *latents.shape[1:]), []
        with torch.random.fork_rng(devices=[]):
            for seed in seeds.tolist():
                torch.default_generator.manual_seed(seed)
                drawn.append(self.draw_timesteps(alike))
        return torch.cat(drawn).to(latents.device)

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
    """Take the clips of a batch, under ``image``, as input and target both: what an autoencoder is trained on.

    The masks of some labelled clips are hidden from the input, but not from the target: the autoencoder learns to find
    them in the image. Only so does the latent of a clip without a mask come to hold one.

    Args:
        label_channels: how many of the last channels are the classes of a mask, see
            `monai_feat.transforms.join_labels`; 0 for clips without masks.
        hidden_labels: share of the clips whose masks are hidden, in [0, 1].
        latent_noise: the most noise that latents are disturbed with before they are decoded, in their standard
            deviations; each clip gets an evenly drawn part of it. 0 for none.

    Raises:
        ValueError: when the share is not in [0, 1], or the noise is negative.
    """

    def __init__(
        self,
        autoencoder: FrameAutoencoder,
        label_channels: int = 0,
        hidden_labels: float = 0.0,
        latent_noise: float = 0.0,
    ) -> None:
        if not 0 <= hidden_labels <= 1:
            raise ValueError(f"expected a share hidden_labels in [0, 1], got {hidden_labels}")
        if latent_noise < 0:
            raise ValueError(f"expected latent_noise of 0 or more, got {latent_noise}")
        self.latent_noise = latent_noise
        self.label_channels = label_channels
        self.hidden_labels = hidden_labels
        self._latent_shape = lru_cache(autoencoder.latent_shape)

    def __call__(
        self,
        batchdata: Mapping[str, Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor, tuple[Any, ...], dict[str, Any]]:
        """Return the clips as the network shall see them, and as they are, no arguments, and the latents' noise."""
        clips = batchdata["image"].to(device, non_blocking=non_blocking, **kwargs)
        latent_shape = self._latent_shape(clips.shape[2], tuple(clips.shape[-2:]))
        draws = ClipNoise(0, clip_seeds(batchdata, len(clips)), latent_shape)
        inputs: dict[str, Any] = {"noise": draws.draw(clips.dtype, clips.device)}
        if self.latent_noise:
            levels = self.latent_noise * draws.uniform().to(clips)[..., None, None, None]  # (B, 1, 1, 1, 1)
            inputs["disturbance"] = levels * draws.draw(clips.dtype, clips.device)
        hide = self.label_channels and self.hidden_labels
        return self._without_some_labels(clips, draws) if hide else clips, clips, (), inputs

    def _without_some_labels(self, clips: Tensor, draws: ClipNoise) -> Tensor:
        hidden = draws.uniform()[:, 0] < self.hidden_labels
        seen = clips.clone()
        seen[hidden.to(clips.device), -self.label_channels :] = 0
        return seen
