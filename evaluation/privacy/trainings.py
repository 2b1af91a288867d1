# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Small trainings of which it is known what they can tell: on few clips over and over, and on endless phantoms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from monai_feat.bundle import shipped_bundles
from monai_feat.checkpoints import Diffusion
from monai_feat.data import PhantomDataset
from monai_feat.losses import RectifiedFlowLoss
from monai_feat.metrics.functional import Denoise
from monai_feat.networks.nets import FEAT, FEAT_PRESETS, FrameAutoencoder
from monai_feat.transforms import to_unit_range

from .errors import as_denoiser, measure_errors
from .findings import Membership
from .inference import infer_membership

__all__ = ["TRAININGS", "TrainingPlan", "attack_training", "train_denoiser"]

LEARNING_RATE = 3e-3
TRAININGS = ("over and over", "endless phantoms")
_HELD_OUT_SEED, _ENDLESS_SEED = 1_000, 2_000  # of phantoms, beside that of the training


@dataclass(frozen=True)
class TrainingPlan:
    """A network and its clips.

    Attributes:
        autoencoder: of the latents; a bundle, or its name.
        modality: of the phantoms.
        num_train: training clips that are attacked, of one patient each.
        num_held_out: clips that are the null.
        steps: of training, of `batch_size` clips each.
        batch_size: clips of a step.
        num_frames: of a clip.
        size: of a frame, in pixels.
        preset: of the network.
    """

    autoencoder: str = "feat_ultrasound"
    modality: str = "ultrasound"
    num_train: int = 16
    num_held_out: int = 100
    steps: int = 250
    batch_size: int = 8
    num_frames: int = 4
    size: int = 32
    preset: str = "nano"

    def clips(self, count: int, seed: int) -> list[Tensor]:
        """Return phantoms, uint8 ``(C, T, H, W)``."""
        phantoms = PhantomDataset(self.modality, count, seed=seed, size=self.size, num_frames=self.num_frames)
        return [phantoms.clip(i).image for i in range(count)]


def attack_training(plan: TrainingPlan, training: str, seed: int = 0, progress: bool = False) -> Membership:
    """Train in one of the two ways, and attack the weights by the first clips of the training.

    Args:
        plan: sizes.
        training: name in `TRAININGS`. On endless phantoms each clip is seen once.
        seed: of phantoms, weights and noise.
        progress: show bars.
    """
    autoencoder = FrameAutoencoder.from_pretrained(_bundle(plan.autoencoder))
    attacked = plan.clips(plan.num_train, seed)
    held_out = plan.clips(plan.num_held_out, seed + _HELD_OUT_SEED)
    batches = _over_and_over if training == TRAININGS[0] else _endless
    denoise = train_denoiser(plan, autoencoder, batches(plan, autoencoder, attacked, seed), seed, progress)
    sides = [measure_errors(denoise, autoencoder, clips, seed, progress=progress) for clips in (attacked, held_out)]
    patients = [
        [f"{side} {i}" for i in range(len(clips))] for side, clips in zip("ab", (attacked, held_out), strict=True)
    ]
    return infer_membership(sides[0], sides[1], patients, training)


def _bundle(name: str) -> str:
    return str(shipped_bundles().get(name, name))


@torch.no_grad()
def _encode(autoencoder: FrameAutoencoder, clips: list[Tensor]) -> Tensor:
    return autoencoder.encode(torch.stack([to_unit_range(clip) for clip in clips]))


def _over_and_over(
    plan: TrainingPlan, autoencoder: FrameAutoencoder, attacked: list[Tensor], seed: int
) -> Iterator[Tensor]:
    latents = torch.cat([_encode(autoencoder, [clip]) for clip in attacked])
    random = Generator().manual_seed(seed)
    while True:
        yield latents[torch.randperm(len(latents), generator=random)[: plan.batch_size]]


def _endless(plan: TrainingPlan, autoencoder: FrameAutoencoder, attacked: list[Tensor], seed: int) -> Iterator[Tensor]:
    """The clips that are attacked, spread over the training, and new ones."""
    waiting = list(attacked)
    every = max(1, plan.steps * plan.batch_size // (len(attacked) + 1))
    shown = 0
    for number in range(plan.steps):
        batch = plan.clips(plan.batch_size, seed + _ENDLESS_SEED + number)
        for place in range(plan.batch_size):
            shown += 1
            if shown % every == 0 and waiting:
                batch[place] = waiting.pop()
        yield _encode(autoencoder, batch)


def train_denoiser(
    plan: TrainingPlan, autoencoder: FrameAutoencoder, batches: Iterator[Tensor], seed: int, progress: bool = False
) -> Denoise:
    """Train a network by rectified flow; without augmentation, and without an average of weights."""
    torch.manual_seed(seed)
    channels = autoencoder.latent_shape(1, plan.size)[0]
    network = FEAT(in_channels=channels, out_channels=channels, **FEAT_PRESETS[plan.preset])
    network._diffusion = Diffusion("flow_velocity", "rectified_flow", 25)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=plan.steps + 1)
    loss, random = RectifiedFlowLoss(), Generator().manual_seed(seed)
    for _, latents in zip(tqdm(range(plan.steps), "training", disable=not progress), batches, strict=False):
        times = (0.5 + 1.4 * torch.randn(len(latents), generator=random)).sigmoid()
        noise = torch.randn(latents.shape, generator=random)
        share = times[:, None, None, None, None]
        output = network((1 - share) * latents + share * noise, timesteps=times * 1000)
        loss(output, {"x0": latents, "noise": noise, "timesteps": times * 1000}).backward()
        optimizer.step()
        optimizer.zero_grad()
        rate.step()
    return as_denoiser(network)
