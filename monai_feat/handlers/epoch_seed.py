# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Randomness that belongs to a place in a training and not to what ran before it, so that a resumed one draws alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events
from torch import Tensor

from monai_feat.distributed.batch_sampler import DistributedBatchSampler

__all__ = ["CLIP_SEEDS", "EpochSeed", "ValidationSeed", "clip_seeds"]

CLIP_SEEDS = "clip_seeds"


class EpochSeed:
    """Tie all that a training draws at random to its seed, the epoch, and the place in it.

    A training may then be killed and resumed between any two iterations, and no state of a generator has to be saved:

    - The generators of torch, NumPy and Python are seeded before each batch is loaded, and before it is used, by the
      seed, the epoch, the iteration and the process's rank.
    - Each clip of a batch gets a seed of its own, an entry ``clip_seeds`` of the batch, by the seed, the epoch and the
      clip's place in the epoch's order. What is drawn from it (see `clip_seeds`) does not depend on how many processes
      share a batch, nor over how many batches gradients are accumulated.
    - The `DistributedBatchSampler` of the trainer's data loader learn the epoch, and how many of its batches are done.

    Not reached are random transforms in worker processes that an epoch is resumed in the middle of, and those that keep
    a generator of their own (MONAI's `Randomizable` in the main process).

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
        """Register with a trainer; the handlers are added when it starts, behind those of all others."""
        # On some Intel processors, the first call of a vectorised function in a process is less accurate in one of
        # several threads (MKL, relative error 1e-4), which would tell a resumed training from one that ran through. A
        # call on a single element settles it.
        torch.ones(1).exp()
        engine.add_event_handler(Events.STARTED, self._register)

    def _register(self, engine: Engine) -> None:
        handlers: dict[Events, Callable[..., None]] = {
            Events.EPOCH_STARTED: self.start_epoch,
            Events.GET_BATCH_STARTED: self.before_loading,
            Events.ITERATION_STARTED: self,
        }
        for event, handler in handlers.items():
            if not engine.has_event_handler(handler, event):
                engine.add_event_handler(event, handler)

    def start_epoch(self, engine: Any) -> None:
        """Seed the generators, and tell the batches where to start."""
        done = self._done(engine)
        self._seed_generators(engine, done)
        batches = getattr(engine.state.dataloader, "batch_sampler", None)
        if isinstance(batches, DistributedBatchSampler):
            batches.start_at(self._epoch(engine), done)

    def before_loading(self, engine: Any) -> None:
        """Seed the generators for the batch that is loaded next."""
        # The first was seen to at the epoch's start: between the two, the loader's iterator is made, or is not.
        if done := self._done(engine):
            self._seed_generators(engine, done)

    def __call__(self, engine: Any) -> None:
        """Seed the generators for the iteration that starts, and its clips."""
        done = self._done(engine) or engine.state.epoch_length or 0
        self._seed_generators(engine, done)
        batch = engine.state.batch
        if isinstance(batch, dict) and (num_clips := _num_clips(batch)):
            world = idist.get_world_size()
            size = getattr(engine.state.dataloader, "batch_size", None) or num_clips  # the last batch may be smaller
            first = (done - 1) * size * world + idist.get_rank()
            batch[CLIP_SEEDS] = self._clip_seeds(engine, range(first, first + num_clips * world, world))

    def _clip_seeds(self, engine: Any, places: range) -> Tensor:
        """Return a seed below 2⁶³ for each place in the epoch's order."""
        seeds = [_words(self.seed, self._epoch(engine), place, dtype=np.uint64)[0] for place in places]
        return torch.tensor([seed >> 1 for seed in seeds])

    def _seed_generators(self, engine: Any, iteration: int) -> None:
        words = _words(self.seed, self._epoch(engine), iteration, idist.get_rank())
        torch.manual_seed(words[0])
        np.random.seed(words[1])  # noqa: NPY002  transforms of other libraries draw from it
        random.seed(words[2])

    def _epoch(self, engine: Any) -> int:
        return int(engine.state.epoch)

    @staticmethod
    def _done(engine: Any) -> int:
        """Return how many iterations of the epoch have started."""
        length = engine.state.epoch_length
        return int(engine.state.iteration % length if length else engine.state.iteration)


class ValidationSeed(EpochSeed):
    """An `EpochSeed` for an evaluator: every validation draws the same, whatever the epoch.

    The generators that it seeds are the training's, too, which needs an `EpochSeed` of its own.
    """

    def _epoch(self, _engine: Any) -> int:
        return 0


def clip_seeds(batch: Mapping[str, Any], num_clips: int) -> Tensor:
    """Return the seeds of a batch's clips, ``(B,)``: those that `EpochSeed` gave them, or newly drawn ones."""
    given: Tensor | None = batch.get(CLIP_SEEDS)
    return torch.randint(2**63 - 1, (num_clips,)) if given is None else given


def _words(*numbers: int, dtype: type = np.uint32) -> list[int]:
    """Return three words that are spread over all of their range for neighbouring numbers, too."""
    return [int(word) for word in np.random.SeedSequence(numbers).generate_state(3, dtype)]


def _num_clips(batch: Mapping[str, Any]) -> int:
    return next((len(value) for value in batch.values() if isinstance(value, Tensor) and value.ndim), 0)
