# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Progress of long work, on the terminal."""

from __future__ import annotations

import math
import sys
from typing import Any

from ignite.engine import Engine, Events
from torch import Tensor
from tqdm import tqdm

from monai_feat.handlers.time_budget import TimeBudget

__all__ = ["SamplingProgress", "TrainingProgress"]

SMOOTHING = 0.98
SECONDS_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f} of {total:.0f} s{postfix}"


class _Bar:
    """A bar on the terminal, while an engine runs."""

    _bar: tqdm[Any] | None = None

    def _open(self, total: float | None, done: float, name: str, **options: Any) -> None:
        """Open the bar where the work stands; into a file it writes more rarely than on a terminal."""
        every = 0.2 if sys.stderr.isatty() else 10.0
        self._bar = tqdm(total=total, initial=done, desc=name, mininterval=every, **options)

    def stop(self, _engine: Engine, error: BaseException | None = None) -> None:
        """Close the bar, and let an exception pass."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if error is not None:
            raise error


class TrainingProgress(_Bar):
    """Show one bar for the whole training: smoothed loss, speed and time left.

    It counts steps, or seconds where a training has a time budget: how many steps fit in is known only at the end.

    Args:
        name: what is being trained.
        budget: the training's time; None where it has as much as it takes.
    """

    def __init__(self, name: str = "training", budget: TimeBudget | None = None) -> None:
        self.name = name
        self.budget = budget
        self._loss: float | None = None

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        for event in (Events.COMPLETED, Events.EXCEPTION_RAISED):
            engine.add_event_handler(event, self.stop)

    def start(self, engine: Engine) -> None:
        """Open the bar, if it is not, where the training stands: not at zero after a resume."""
        if self._bar is not None:
            return
        if self.budget is None:
            self._open(_steps(engine) or None, engine.state.iteration, self.name, unit="step")
        else:
            spent = min(self.budget.seconds, self.budget.max_seconds)
            self._open(self.budget.max_seconds, spent, self.name, bar_format=SECONDS_BAR)

    def __call__(self, engine: Engine) -> None:
        """Count one iteration."""
        if self._bar is None:
            return
        loss = _loss(engine.state.output)
        if math.isfinite(loss):
            self._loss = loss if self._loss is None else SMOOTHING * self._loss + (1 - SMOOTHING) * loss
        shown = "not finite" if self._loss is None else f"{self._loss:.4f}"
        if self.budget is None:
            self._bar.set_postfix(loss=shown, refresh=False)
            self._bar.update()
        else:
            self._bar.set_postfix(step=engine.state.iteration, loss=shown, refresh=False)
            self._bar.update(min(self.budget.seconds, self.budget.max_seconds) - self._bar.n)


class SamplingProgress(_Bar):
    """Show one bar for all clips that an evaluator samples: how many are there, speed and time left.

    Args:
        num_clips: how many clips there shall be.
        finished: how many of them were there before.
    """

    def __init__(self, num_clips: int, finished: int = 0) -> None:
        self.num_clips, self.finished = num_clips, finished

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator whose inputs are clip indices ``(B,)``."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        for event in (Events.EPOCH_COMPLETED, Events.EXCEPTION_RAISED):
            engine.add_event_handler(event, self.stop)

    def start(self, _engine: Engine) -> None:
        """Open the bar."""
        self._open(self.num_clips, self.finished, "clips", unit="clip")

    def __call__(self, engine: Engine) -> None:
        """Count the clips of a batch."""
        if self._bar is not None:
            self._bar.update(len(engine.state.output["image"]))  # type: ignore[index]


def _loss(output: Any) -> float:
    """Return the loss of an iteration, of a dict, or of the list of dicts that MONAI's trainers make of it."""
    loss = (output[0] if isinstance(output, list) else output)["loss"]
    return float(loss.detach() if isinstance(loss, Tensor) else loss)


def _steps(engine: Engine) -> int:
    """Count the steps of a whole training, 0 where it has no end."""
    return (engine.state.max_epochs or 0) * (engine.state.epoch_length or 0)
