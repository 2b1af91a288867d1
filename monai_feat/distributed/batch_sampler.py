# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The batches of an epoch: the same for any number of processes, and from any iteration on."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import ignite.distributed as idist
import numpy as np
import torch
from torch.utils.data import Sampler

__all__ = ["DistributedBatchSampler"]


class DistributedBatchSampler(Sampler[list[int]]):
    """A ``batch_sampler`` that shuffles by seed and epoch, shares each batch among processes, and can start anywhere.

    All processes together train on one batch of ``batch_size`` items: of P processes, the p-th takes the items at the
    places p, p + P, … of the batch. A training so has the same batches, and the same number of them, on one machine or
    on many. All batches are full: the last is filled up with items from the beginning of the epoch's order, as often as
    it takes.

    `EpochSeed` tells it where each epoch starts; without, all epochs are alike.

    Args:
        data: the data set; only its length is asked for.
        batch_size: items of one batch of all processes together.
        seed: non-negative seed of the order.
        multiple: the number of batches of an epoch is a multiple of this: the steps over which gradients are
            accumulated, so that every step of the optimiser sees as many items.

    Raises:
        ValueError: when there is no data, a number is not positive, or the batch cannot be shared equally.

    Example:
        >>> [sorted(batch) for batch in DistributedBatchSampler(range(4), batch_size=4)]
        [[0, 1, 2, 3]]
    """

    def __init__(self, data: Sized, batch_size: int, seed: int = 0, multiple: int = 1) -> None:
        if min(len(data), batch_size, multiple) < 1 or seed < 0:
            raise ValueError(
                f"expected data, a batch_size and a multiple of at least 1 and a seed of at least 0, got {len(data)} "
                f"items, {batch_size}, {multiple} and {seed}"
            )
        if batch_size % idist.get_world_size():
            raise ValueError(
                f"a batch of {batch_size} cannot be shared equally by {idist.get_world_size()} processes: choose a "
                "batch_size, which is that of all processes together, that is a multiple of their number"
            )
        self.num_items, self.batch_size, self.seed = len(data), batch_size, seed
        self._num_batches = -(-self.num_items // (batch_size * multiple)) * multiple
        self._epoch, self._first = 0, 0

    def __len__(self) -> int:
        return self._num_batches

    def __iter__(self) -> Iterator[list[int]]:
        batches = self._order().reshape(len(self), self.batch_size)
        for batch in batches[self._first :]:
            yield batch[idist.get_rank() :: idist.get_world_size()].tolist()

    def start_at(self, epoch: int, batch: int = 0) -> None:
        """Say of which epoch the next batches are, and which of its batches comes first."""
        self._epoch, self._first = epoch, batch

    def _order(self) -> torch.Tensor:
        rng = np.random.default_rng([self.seed, self._epoch])
        once = torch.from_numpy(rng.permutation(self.num_items))
        total = len(self) * self.batch_size
        return once.repeat(-(-total // self.num_items))[:total]
