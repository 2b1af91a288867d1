# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Validation every so many epochs, and once more when the training ends."""

from __future__ import annotations

from ignite.engine import Engine, Events
from monai.handlers import ValidationHandler

__all__ = ["ValidationAndLast"]


class ValidationAndLast(ValidationHandler):
    """MONAI's `ValidationHandler`, which also runs its validator at the end, unless it has just done so.

    A training that ends by a time budget ends in any epoch, and a short one before the first multiple of its interval;
    what came out is looked at all the same. `interval` is in epochs, `validator` an evaluator of MONAI.
    """

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        super().attach(engine)
        engine.add_event_handler(Events.COMPLETED, self.validate_last)

    def validate_last(self, engine: Engine) -> None:
        """Validate, unless the last epoch has been."""
        if engine.state.epoch % self.interval:
            self(engine)
