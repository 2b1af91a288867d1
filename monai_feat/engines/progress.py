# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Progress of long work, on the terminal."""

from __future__ import annotations

import sys
from typing import Any

from ignite.engine import Engine, Events
from tqdm import tqdm

__all__ = ["TrainingProgress"]

SMOOTHING = 0.98


class TrainingProgress:
    """Show one bar for the whole training: smoothed loss, speed and time left.

    Args:
        name: what is being trained.
    """

    def __init__(self, name: str = "training") -> None:
        self.name = name
        self._bar: tqdm[Any] | None = None
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
        total = (engine.state.max_epochs or 0) * (engine.state.epoch_length or 0) or None
        every = 0.2 if sys.stderr.isatty() else 10.0
        self._bar = tqdm(total=total, initial=engine.state.iteration, desc=self.name, unit="step", mininterval=every)

    def __call__(self, engine: Engine) -> None:
        """Count one iteration."""
        if self._bar is None:
            return
        loss = float(engine.state.output["loss"].detach())  # type: ignore[index]
        self._loss = loss if self._loss is None else SMOOTHING * self._loss + (1 - SMOOTHING) * loss
        self._bar.set_postfix(loss=f"{self._loss:.4f}", refresh=False)
        self._bar.update()

    def stop(self, _engine: Engine, error: BaseException | None = None) -> None:
        """Close the bar, and let an exception pass."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if error is not None:
            raise error
