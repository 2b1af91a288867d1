# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Gradients between the backward pass and the optimiser's step: clipped, and never applied when they are not finite."""

from __future__ import annotations

import logging
from typing import Any, Literal

import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents
from torch import Tensor, nn

from monai_feat.distributed.processes import all_reduce_any
from monai_feat.distributed.sharding import full_tensor
from monai_feat.handlers.steps import steps_now

__all__ = ["GradientGuard", "NonFiniteGradientError"]

logger = logging.getLogger(__name__)


class NonFiniteGradientError(RuntimeError):
    """A batch gave a loss or gradient that is NaN or infinite."""


class GradientGuard:
    """Clip the gradient norm before every optimiser step, and keep NaN and infinity out of the weights.

    MONAI's trainers neither clip nor look. Attach it as a handler of ``SupervisedTrainer``; accumulation and loss
    scaling are those of the trainer. Under loss scaling, the scaler itself skips steps whose gradient overflowed, so
    these are only counted. Of several processes, all refuse a step whose loss is not finite in one of them.

    Args:
        network: whose gradients are guarded.
        max_norm: largest L2 norm of the gradient of all parameters together.
        on_nonfinite: ``stop`` raises before the step, so the weights stay as they were; ``skip`` drops the gradient
            accumulated so far, counts it in ``num_skipped``, says so, and goes on.
        max_consecutive: how many skips in a row are taken for an accident rather than a broken data set.

    Raises:
        ValueError: when ``on_nonfinite`` is unknown or ``max_norm`` is not positive.
    """

    def __init__(
        self,
        network: nn.Module,
        max_norm: float = 1.0,
        on_nonfinite: Literal["stop", "skip"] = "stop",
        max_consecutive: int = 10,
    ) -> None:
        if on_nonfinite not in ("stop", "skip"):
            raise ValueError(f"on_nonfinite must be 'stop' or 'skip', got {on_nonfinite!r}")
        if not max_norm > 0:
            raise ValueError(f"max_norm is {max_norm}, expected more than 0: a large number clips nothing")
        self.network = network
        self.max_norm = max_norm
        self.on_nonfinite = on_nonfinite
        self.max_consecutive = max_consecutive
        self.num_skipped = 0
        self._consecutive = 0

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self.report)

    def __call__(self, engine: Any) -> None:
        """Look at the gradients of one iteration.

        Raises:
            NonFiniteGradientError: when they are not finite and that shall stop the training, or has happened too often
                in a row.
        """
        if all_reduce_any(not torch.isfinite(engine.state.output["loss"].detach()).all()):
            self._refuse(engine)
        elif steps_now(engine):
            if _scales_loss(engine):
                engine.scaler.unscale_(engine.optimizer)
            norm = full_tensor(nn.utils.clip_grad_norm_(self.network.parameters(), self.max_norm))
            if torch.isfinite(norm):
                self._consecutive = 0
            elif _scales_loss(engine):
                self.num_skipped += 1
            else:
                self._refuse(engine)

    def report(self, _engine: Engine) -> None:
        """Say at the end how many steps were skipped, if any."""
        if self.num_skipped:
            logger.warning("%d steps were skipped because their gradient was not finite", self.num_skipped)

    def _refuse(self, engine: Any) -> None:
        self.num_skipped += 1
        self._consecutive += 1
        finding = self._describe(engine)
        if self.on_nonfinite == "stop" or self._consecutive > self.max_consecutive:
            raise NonFiniteGradientError(f"{finding}; the weights are those from before this step")
        logger.warning("%s; skipped", finding)
        if not _scales_loss(engine):  # the scaler wants to see the gradient that it refuses
            for parameter in self.network.parameters():
                parameter.grad = None

    @staticmethod
    def _describe(engine: Any) -> str:
        output = engine.state.output
        state = "finite" if torch.isfinite(output["image"]).all() else "not finite (NaN or infinity in the data)"
        loss = _scalar(output["loss"])
        return f"iteration {engine.state.iteration}: loss {loss}, gradient not finite, inputs {state}"


def _scalar(loss: Tensor) -> str:
    return f"{loss.detach().float().mean().item():.4g}"


def _scales_loss(engine: Any) -> bool:
    """Whether a loss scaler is at work; without a GPU, mixed precision leaves it idle."""
    return bool(engine.amp and engine.scaler.is_enabled())
