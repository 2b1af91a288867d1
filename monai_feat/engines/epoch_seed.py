# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Randomness that belongs to an epoch and not to what ran before it, so that a resumed training draws the same."""

from __future__ import annotations

import random
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events

__all__ = ["EpochSeed"]


class EpochSeed:
    """Seed the generators of torch, NumPy and Python at the start of every epoch.

    They are seeded by the seed, the epoch's number and the process's rank, after all other handlers of that event. The
    order of the data (`shuffle=True`), the noise and the timesteps of an epoch are then the same whether the training
    has run through or was resumed from the epoch before, and no state of a generator has to be saved. Random transforms
    that keep a generator of their own (MONAI's `Randomizable` in the main process) are not reached.

    Args:
        seed: non-negative seed of the training.

    Raises:
        ValueError: when the seed is negative.
    """

    def __init__(self, seed: int) -> None:
        if seed < 0:
            raise ValueError(f"expected a seed of 0 or more, got {seed}")
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        """Register with a trainer; the handler is added when it starts, behind those of all others."""
        engine.add_event_handler(Events.STARTED, self._register)

    def _register(self, engine: Engine) -> None:
        if not engine.has_event_handler(self, Events.EPOCH_STARTED):
            engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Any) -> None:
        """Seed all generators for the epoch that starts."""
        # SeedSequence spreads neighbouring numbers over all of its output.
        sequence = np.random.SeedSequence([self.seed, engine.state.epoch, idist.get_rank()])
        for_torch, for_numpy, for_python = (int(word) for word in sequence.generate_state(3))
        torch.manual_seed(for_torch)
        np.random.seed(for_numpy)  # noqa: NPY002  transforms of other libraries draw from it
        random.seed(for_python)
