# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What changes over a training by a rule of its own, and keeps to it after a resume: learning rate, average weights."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from ignite.engine import Engine, Events
from ignite.handlers import EMAHandler
from ignite.handlers.state_param_scheduler import LambdaStateScheduler
from torch.optim.lr_scheduler import LRScheduler

from monai_feat.handlers.steps import ON_STEP, num_steps
from monai_feat.handlers.time_budget import TimeBudget

__all__ = ["ExponentialMovingAverage", "StepSchedule", "final_decay", "share_done", "warmup_cosine"]


def warmup_cosine(warmup_steps: int, total_steps: int) -> Callable[[int], float]:
    """Return the factor of the learning rate by step: a linear rise, then half a cosine down to zero.

    Made for torch's ``LambdaLR``, which does not save the rule with its state: a resumed training follows the rule it
    is given then. MONAI's ``WarmupCosineSchedule`` restores its old end, and beyond it the rate climbs again.

    Args:
        warmup_steps: steps of the rise.
        total_steps: step at which the factor reaches zero.

    Raises:
        ValueError: when the rise does not fit.

    Example:
        >>> rate = warmup_cosine(warmup_steps=2, total_steps=10)
        >>> [round(rate(step), 2) for step in (0, 1, 2, 6, 10, 99)]
        [0.5, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"expected 0 <= warmup_steps < total_steps, got {warmup_steps} and {total_steps}")

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        done = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
        return 0.5 * (1 + math.cos(math.pi * done))

    return factor


def share_done(total_steps: int, budget: TimeBudget | None = None) -> Callable[[int], float]:
    """Return how much of a training is done by step, from 0 to 1: of its steps, or of its time where that is further.

    Args:
        total_steps: steps of the whole training.
        budget: the time that it has; None for as much as it takes.
    """
    return lambda step: min(1.0, max(step / total_steps, 0.0 if budget is None else budget.done))


def final_decay(done: Callable[[int], float], warmup_steps: int = 0, share: float = 0.4) -> Callable[[int], float]:
    """Return the factor of the learning rate by step: a linear rise, a plateau, and a linear fall to zero at the end.

    Made for torch's ``LambdaLR``. The fall is where most of the error goes, so it belongs to the time that is really
    there: `share_done` measures that, whatever else the machine has to do.

    Args:
        done: how much of the training is done by step, from 0 to 1.
        warmup_steps: steps of the rise.
        share: how much of the training the fall takes, at its end, in (0, 1].

    Raises:
        ValueError: when the share is out of range.

    Example:
        >>> rate = final_decay(lambda step: step / 10, warmup_steps=2)
        >>> [round(rate(step), 2) for step in (0, 1, 6, 8, 10)]
        [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if not 0 < share <= 1:
        raise ValueError(f"expected a share in (0, 1], got {share}")
    return lambda step: min(1.0, (step + 1) / max(1, warmup_steps), (1 - done(step)) / share)


class ExponentialMovingAverage(EMAHandler):
    """Ignite's ``EMAHandler`` (same arguments) that counts steps of the optimiser, and goes on where it was.

    Ignite averages in every iteration, so that with accumulated gradients weights that have not moved count again, and
    counts the warm-up from every start of the process, and so overwrites a restored average within a few steps. Nor
    does it see weights that a handler loads when a training starts: a new training averages from these on.
    """

    def attach(self, engine: Engine, name: str = "ema_momentum") -> None:  # type: ignore[override]
        """Register with a trainer."""
        super().attach(engine, name=name, event=ON_STEP)
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._count_from)

    @torch.no_grad()
    def _start(self, engine: Engine) -> None:
        if engine.state.iteration:
            return
        averages, networks = ([*module.parameters(), *module.buffers()] for module in (self.ema_model, self.model))
        for average, network in zip(averages, networks, strict=True):
            average.copy_(network)

    def _count_from(self, engine: Engine) -> None:
        if isinstance(self.momentum_scheduler, LambdaStateScheduler):
            self.momentum_scheduler.event_index = num_steps(engine)


class StepSchedule:
    """Move a learning rate on with every step of the optimiser.

    MONAI's ``LrScheduleHandler`` moves it in every iteration, those that only accumulate gradients included.

    Args:
        lr_scheduler: any scheduler of torch that counts steps.
    """

    def __init__(self, lr_scheduler: LRScheduler) -> None:
        self.lr_scheduler = lr_scheduler

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        engine.add_event_handler(ON_STEP, self)

    def __call__(self, _engine: Engine) -> None:
        """Take one step of the schedule."""
        self.lr_scheduler.step()
