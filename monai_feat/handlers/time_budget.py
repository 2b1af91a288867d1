# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Training for a given time instead of a given number of epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from ignite.engine import Engine, Events

from monai_feat.distributed.processes import all_reduce_any
from monai_feat.handlers.steps import ON_STEP

__all__ = ["TimeBudget"]

_LOOK = 1.0  # seconds of reading after which its speed is believed; less than that is not worth an end


class TimeBudget:
    """End a training when its time is up, as if the epoch under way were complete and the last.

    So checkpoints and sample sheets of that epoch are still made; a resumed training continues the epoch where it was
    cut. Gradients that are being accumulated are applied before. Ignite's ``TimeLimit`` has no ``attach`` and stops
    without them.

    Its clock starts when it is made, and so counts the reading of clips, of which `reading` is told. Saved with the
    checkpoints, it knows how much time a resumed training has spent already; unsaved, each start has the whole time.

    Args:
        max_seconds: time for reading, all iterations and validations together, in seconds; the last may exceed it.
        clock: tells seconds; that of the wall by default. ``time.process_time`` counts those of the processor, so that
            trainings on a busy machine have the same budget; use it with one process.
        share: of the time that reading leaves, how much is for this training; the rest is left to one that comes after
            it and finds the same clips read.

    Raises:
        ValueError: when the time is not positive, or the share is not in (0, 1].
    """

    def __init__(self, max_seconds: float, clock: Callable[[], float] | None = None, share: float = 1.0) -> None:
        if not max_seconds > 0:
            raise ValueError(f"max_seconds must be positive, got {max_seconds}")
        if not 0 < share <= 1:
            raise ValueError(f"share must be in (0, 1], got {share}")
        self._clock = clock or time.monotonic
        self.max_seconds, self.share = max_seconds, share
        self._made = self._clock()
        self._read: tuple[float, int] | None = None  # when so many files had been read
        self._spent = self._spent_reading = 0.0  # in earlier processes
        self._reading = 0.0  # seconds from when this was made to when the training started
        self._has_started = self._is_up = False

    @property
    def seconds(self) -> float:
        """Seconds that are spent, reading included."""
        return self._spent + self._clock() - self._made

    @property
    def done(self) -> float:
        """Share of the time for training that is spent; 0 before the training starts."""
        if not self._has_started and not self._spent:
            return 0.0
        reading = self._spent_reading + self._reading
        training = self.seconds if self._has_started else self._spent
        return min(1.0, max(0.0, training - reading) / max(1e-9, self.share * (self.max_seconds - reading)))

    def state_dict(self) -> dict[str, float]:
        """Return the seconds that are spent, and those of them that were spent reading."""
        return {"seconds": self.seconds, "reading": self._spent_reading + self._reading}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the seconds that were spent."""
        self._spent, self._spent_reading = float(state["seconds"]), float(state["reading"])

    def reading(self, done: int, total: int) -> None:
        """Take note that so many of all files were read; end the work where reading alone takes all of the time.

        Raises:
            TimeoutError: says how much time is needed.
        """
        now = self._clock()
        if (
            self._read is None or done <= self._read[1]
        ):  # the first file, which tells nothing of the next, or other files
            self._read = (now, done)
            return
        since, before = self._read
        left = (now - since) / (done - before) * (total - done)
        expected = self.seconds + left
        if now - since >= _LOOK <= left and expected > self.max_seconds:
            needed = _rounded_up(2 * expected)
            raise TimeoutError(
                f"reading {total} files takes about {expected:.0f} s of the {self.max_seconds:g} s that there are: run "
                "the same command again, which goes on from what was read; or start anew with at least "
                f"{needed} s (max_seconds, or --minutes {needed / 60:.2g}) or with fewer clips (num_clips)"
            )

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(ON_STEP, self)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.stop)

    def start(self, _engine: Engine) -> None:
        """Take note that reading is over; a run after the first has a time of its own."""
        if self._has_started:
            self._made = self._clock()
        self._reading = 0.0 if self._has_started else self._clock() - self._made
        self._has_started = True

    def __call__(self, engine: Engine) -> None:
        """Cut the epoch short when the time is up, for all processes at once."""
        self._is_up = all_reduce_any(self.done >= 1)
        if self._is_up:
            engine.terminate_epoch()

    def stop(self, engine: Engine) -> None:
        """End the training when the time is up."""
        if self._is_up:
            engine.terminate()


def _rounded_up(seconds: float) -> int:
    """A number of seconds that people would say: 130 for 124.3."""
    return 10 * math.ceil(seconds / 10)
