# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Training for a given time instead of a given number of epochs."""

from __future__ import annotations

import time
from typing import Any

from ignite.engine import Engine, Events

from monai_feat.distributed.processes import all_reduce_any
from monai_feat.handlers.steps import ON_STEP

__all__ = ["TimeBudget"]


class TimeBudget:
    """End a training when its time is up, as if the epoch under way were complete and the last.

    So checkpoints and sample sheets of that epoch are still made; a resumed training continues the epoch where it was
    cut. Gradients that are being accumulated are applied before. Ignite's ``TimeLimit`` has no ``attach`` and stops
    without them.

    Saved with the checkpoints, it knows how much time a resumed training has spent already; unsaved, each start has the
    whole time.

    Args:
        max_seconds: time for all iterations and validations together, in seconds; the last may exceed it.

    Raises:
        ValueError: when the time is not positive.
    """

    def __init__(self, max_seconds: float) -> None:
        if not max_seconds > 0:
            raise ValueError(f"max_seconds must be positive, got {max_seconds}")
        self.max_seconds = max_seconds
        self._spent = 0.0  # in earlier processes
        self._start: float | None = None
        self._is_up = False

    @property
    def done(self) -> float:
        """Share of the time that is spent; 0 before the training starts."""
        return self._seconds() / self.max_seconds

    def state_dict(self) -> dict[str, float]:
        """Return the seconds that are spent."""
        return {"seconds": self._seconds()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the seconds that were spent."""
        self._spent = float(state["seconds"])

    def _seconds(self) -> float:
        return self._spent + (0.0 if self._start is None else time.monotonic() - self._start)

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(ON_STEP, self)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.stop)

    def start(self, _engine: Engine) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def __call__(self, engine: Engine) -> None:
        """Cut the epoch short when the time is up, for all processes at once."""
        self._is_up = all_reduce_any(self.done >= 1)
        if self._is_up:
            engine.terminate_epoch()

    def stop(self, engine: Engine) -> None:
        """End the training when the time is up."""
        if self._is_up:
            engine.terminate()
