# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The other half of adversarial training, as a handler of MONAI's stock trainer."""

from __future__ import annotations

from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from torch.optim import Optimizer

from monai_feat.losses import AutoencoderLoss

__all__ = ["DiscriminatorUpdate"]


class DiscriminatorUpdate:
    """Train the discriminator of an `AutoencoderLoss` on every batch that the autoencoder was trained on.

    MONAI's ``AdversarialTrainer`` cannot train an autoencoder that returns moments beside its reconstruction.

    Args:
        loss: the loss whose discriminator is trained.
        optimizer: steps the discriminator's parameters.

    Raises:
        ValueError: when the loss has no discriminator.
    """

    def __init__(self, loss: AutoencoderLoss, optimizer: Optimizer) -> None:
        if loss.discriminator is None:
            raise ValueError(
                "the AutoencoderLoss has no discriminator, expected one that DiscriminatorUpdate can train: make the "
                "loss with discriminator=..."
            )
        self.loss = loss
        self.optimizer = optimizer

    def attach(self, engine: Engine) -> None:
        """Register with a trainer.

        Raises:
            RuntimeError: when there are several processes: its gradients are not averaged, so they would drift apart.
        """
        if idist.get_world_size() > 1:
            raise RuntimeError("a discriminator is trained in one process only; leave the adversarial overlay out")
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)  # later, outputs are lists of items

    def __call__(self, engine: Any) -> None:
        """Step once on the clips and reconstructions of an iteration, unless they hold NaN: `GradientGuard` tells."""
        clips = engine.state.output["image"]
        reconstruction = engine.state.output["pred"][0].to(clips.dtype)  # half precision after autocast
        if not (torch.isfinite(reconstruction).all() and torch.isfinite(clips).all()):
            return
        self.optimizer.zero_grad()
        self.loss.discriminator_loss(reconstruction, clips).backward()
        self.optimizer.step()
