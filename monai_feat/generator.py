# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips from weights, in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from monai.networks.schedulers.scheduler import Scheduler
from torch import Tensor, nn

from monai_feat.bundle.shipped import shipped_bundles
from monai_feat.checkpoints import EARLY_WEIGHTS, find_early_weights, find_weights, save_checkpoint
from monai_feat.conditions import Condition
from monai_feat.conditions.prompts import PromptPrepareBatch
from monai_feat.inferers import (
    AutoguidedDenoiser,
    ClipSampler,
    GuidedDenoiser,
    KnownFramesDenoiser,
    WindowedDenoiser,
    sampling_scheduler,
)
from monai_feat.networks.nets import FEAT, FrameAutoencoder
from monai_feat.transforms.functional import to_uint8
from monai_feat.transforms.labels import split_labels

__all__ = ["ClipGenerator", "GeneratedClip"]


@dataclass(frozen=True)
class GeneratedClip:
    """A sampled clip.

    Attributes:
        index: of the clip; with the seed it decides the noise that the clip is made of.
        frames: uint8 ``(C, T, H, W)`` in [0, 255].
        frame_rate: in Hz; None where the weights do not know it.
        mask: classes of the pixels, uint8 ``(1, T, H, W)``, where the weights make masks too; else None.
        attributes: what the clip was asked to be, by the name of the condition.
    """

    index: int
    frames: Tensor
    frame_rate: float | None
    mask: Tensor | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


class ClipGenerator:
    """A FEAT and its autoencoder, which know from their weights how clips are sampled.

    The clips are those of the bundles' ``inference`` config, bit for bit where batches are as large.

    Args:
        network: with the description of its weights, see `FEAT.from_pretrained`.
        autoencoder: of the latents that the network makes.
        weaker: an earlier state of the network, for `AutoguidedDenoiser`; None for none.

    Raises:
        CheckpointError: the network's weights do not say what clips they know, or how they denoise.
        ValueError: the network makes other latents than the autoencoder decodes.

    Example:
        >>> generator = ClipGenerator.from_pretrained("feat_ultrasound")
        >>> (clip,) = generator.sample(num_clips=1, seed=7, num_frames=2, num_sampling_steps=2)
        >>> clip.frames.shape, clip.frame_rate
        (torch.Size([1, 2, 64, 64]), 16.0)
    """

    def __init__(self, network: FEAT, autoencoder: FrameAutoencoder, weaker: FEAT | None = None) -> None:
        self.network, self.autoencoder = network.eval(), autoencoder.eval()
        self.weaker = weaker and weaker.eval()
        self.clips, self.diffusion = network.clips, network.diffusion
        channels = autoencoder.latent_shape(1, self.clips.frame_size)[0]
        if channels != network.in_channels:
            raise ValueError(
                f"expected a network and an autoencoder that were trained together, got a network of "
                f"{network.in_channels} latent channels and an autoencoder of {channels}"
            )

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike[str],
        download: bool = False,
        revision: str | None = None,
        device: str | torch.device = "cpu",
    ) -> ClipGenerator:
        """Load network and autoencoder, and the early weights where they lie beside the network's.

        Args:
            source: a bundle's folder, or the name of a shipped bundle; a folder that `save_pretrained` has written; or
                a repository of the Hugging Face hub, ``"owner/name"``, with either of them.
            download: fetch a repository that has not been downloaded yet.
            revision: branch, tag or commit of a repository.
            device: where clips are sampled.

        Raises:
            FileNotFoundError: there are no such weights.
            CheckpointError: the weights cannot be read, or do not describe themselves.
        """
        if not Path(source).exists():
            source = shipped_bundles().get(str(source), source)
        weights = find_weights(source, FEAT.weights_name, download, revision)
        early = find_early_weights(weights)
        autoencoder = FrameAutoencoder.from_pretrained(source, download=download, revision=revision)
        weaker = FEAT.from_pretrained(early).to(device) if early else None
        return cls(FEAT.from_pretrained(weights).to(device), autoencoder.to(device), weaker)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What clips can be asked to be."""
        return self.network.conditions

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write all networks into one folder, which is made where it is missing."""
        self.network.save_pretrained(folder)
        if self.weaker is not None:
            save_checkpoint(
                self.weaker.state_dict(), Path(folder) / EARLY_WEIGHTS, self.weaker.describe().to_metadata()
            )
        self.autoencoder.save_pretrained(folder)

    def sample(
        self,
        num_clips: int = 1,
        seed: int = 0,
        prompts: Mapping[str, Any] | None = None,
        guidance_scale: float = 1.0,
        autoguidance_scale: float = 2.0,
        autoguidance_interval: Sequence[float] = (0.3, 0.9),
        keep_first_frames: bool = True,
        num_frames: int | None = None,
        frame_size: int | Sequence[int] | None = None,
        window: int | None = None,
        sampler: str | None = None,
        num_sampling_steps: int | None = None,
        first_clip: int = 0,
        batch_size: int = 4,
        progress: bool = False,
    ) -> list[GeneratedClip]:
        """Sample clips.

        Args:
            num_clips: how many.
            seed: of all clips.
            prompts: what is asked for, by the name of a condition: a value, or several that clips take in turns; see
                `PromptPrepareBatch`.
            guidance_scale: how much more of it than the network gives by itself; see `GuidedDenoiser`.
            autoguidance_scale: how much further clips go than an earlier state of the network, where there is one; see
                `AutoguidedDenoiser`. 1 for the network alone, in half the time.
            autoguidance_interval: where, as shares of the timesteps: 0 is a clean clip, 1 is noise.
            keep_first_frames: whether first frames that are given are kept as they are.
            num_frames: frames of a clip; by default as many as in training.
            frame_size: ``(H, W)`` in pixels, or one number; by default that of training.
            window: frames that the network sees at once, for long clips; see `WindowedDenoiser`.
            sampler: by default the one that the weights name; see `sampling_scheduler`.
            num_sampling_steps: by default as many as the weights name.
            first_clip: index of the first clip. A clip depends on the seed and its index, not on the others.
            batch_size: clips that are sampled at once.
            progress: show a bar of the steps where there is a terminal.

        Raises:
            ValueError: an argument is out of range, or a prompt is for something that the network was not trained for.
        """
        if num_clips < 1 or batch_size < 1:
            raise ValueError(f"expected num_clips and batch_size >= 1, got {num_clips} and {batch_size}")
        frames, size = num_frames or self.clips.num_frames, frame_size or self.clips.frame_size
        scheduler = self._scheduler(sampler)
        inferer = ClipSampler(
            scheduler,
            self.autoencoder.latent_shape(frames, size),
            num_sampling_steps or self.diffusion.num_sampling_steps,
            seed,
            self.autoencoder.decode,
            progress,
            noise_window=window,
        )
        timesteps = [share * scheduler.num_train_timesteps for share in autoguidance_interval]
        further = AutoguidedDenoiser(self.network, self.weaker, autoguidance_scale, timesteps)
        denoiser: nn.Module = WindowedDenoiser(GuidedDenoiser(further, guidance_scale), window).eval()
        if keep_first_frames:
            denoiser = KnownFramesDenoiser(denoiser, scheduler).eval()
        image_channels = self.autoencoder.clips.image_channels
        prepare = PromptPrepareBatch(
            self.conditions,
            prompts or {},
            self.autoencoder,
            frames,
            size,
            image_channels,
            self._label_channels,
            first_clip + num_clips,
        )
        made: list[GeneratedClip] = []
        for indices in torch.arange(first_clip, first_clip + num_clips).split(batch_size):
            inputs, _, _, options = prepare({"image": indices}, self.autoencoder.scale_factor.device)
            pixels, asked = inferer(inputs, denoiser, **options), prepare.asked_masks(indices)
            made.extend(self._finish(pixels, asked, indices.tolist(), prompts or {}))
        return made

    @property
    def _label_channels(self) -> int:
        return self.autoencoder.clips.label_channels

    def _scheduler(self, sampler: str | None) -> Scheduler:
        known = self.diffusion
        return sampling_scheduler(
            sampler or known.sampler, known.prediction_type, known.num_train_timesteps, known.noise_schedule
        )

    def _finish(
        self, pixels: Tensor, asked_masks: Tensor | None, indices: Sequence[int], prompts: Mapping[str, Any]
    ) -> Iterator[GeneratedClip]:
        images, own_masks = split_labels(pixels.float().cpu(), self._label_channels)
        masks = asked_masks if own_masks is None else own_masks
        for place, (index, image) in enumerate(zip(indices, images, strict=True)):
            mask = None if masks is None else masks[place]
            asked = {name: _of_clip(values, index) for name, values in prompts.items()}
            yield GeneratedClip(index, to_uint8(image), self.clips.frame_rate, mask, asked)


def _of_clip(values: Any, index: int) -> Any:
    """Return what one clip was asked for, of a value for all or several that take turns."""
    return values[index % len(values)] if isinstance(values, (list, tuple)) else values
