# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""When a trainer steps its optimiser: with accumulated gradients, not in every iteration."""

from __future__ import annotations

from typing import Any

from ignite.engine import Events

__all__ = ["ON_STEP", "num_steps", "steps_now"]


def steps_now(engine: Any) -> bool:
    """Whether the trainer applies gradients in this iteration (the rule of MONAI's ``SupervisedTrainer``)."""
    length = engine.state.epoch_length
    position = (engine.state.iteration - 1) % length + 1 if length else engine.state.iteration
    return bool(position % _accumulation(engine) == 0 or position == length)


def num_steps(engine: Any) -> int:
    """Return how many steps of the optimiser the iterations so far have made."""
    epochs, rest = divmod(engine.state.iteration, engine.state.epoch_length or engine.state.iteration + 1)
    steps_per_epoch = -(-(engine.state.epoch_length or 0) // _accumulation(engine))
    return int(epochs * steps_per_epoch + rest // _accumulation(engine))


ON_STEP = Events.ITERATION_COMPLETED(event_filter=lambda engine, _: steps_now(engine))
"""The end of an iteration whose gradients were applied."""


def _accumulation(engine: Any) -> int:
    return int(getattr(engine, "accumulation_steps", 1))
