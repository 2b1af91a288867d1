# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What real clips score against each other: floors of all scores in one feature space, from one pool of real clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..results import Floor
from .estimates import effective_groups, group_numbers
from .feature_cache import Sample
from .floors import DEFECTS, SplitDistance, floor_of_splits, split_distances
from .intervals import Regime, simulated_coverage

__all__ = ["FEWEST_GROUPS", "Baseline"]

FEWEST_GROUPS = 8  # below, a floor calls too many bad generators no worse: see evaluation.simulation.verdicts
FEWEST_GROUPS_PER_CLIP = 0.75


class Baseline:
    """Splits all real clips, training and held-out, by group, and measures distances between the parts.

    Held-out clips are worth having here as well: with as many of them as training clips, the parts are as large as the
    sides of the score. `evaluation.simulation` tries these very floors.

    Args:
        samples: of all real sides.
        num_fake: synthetic clips of the score.
        seed: of the splits.

    Raises:
        ValueError: not one group per clip.
    """

    def __init__(self, samples: Sequence[Sample], num_fake: int, seed: int = 0) -> None:
        self.features = torch.cat([sample.features for sample in samples])
        self._groups = group_numbers([group for sample in samples for group in sample.groups], len(self.features))
        self._num_fake, self._seed = num_fake, seed
        self._effective_groups = effective_groups(self._groups)
        self._splits: dict[str, list[SplitDistance]] = {}

    def floor(
        self,
        key: str,
        distance: Callable[[Tensor, Tensor], float],
        num_real: int,
        order: float | None,
        higher_is_better: bool = False,
        defects: Mapping[str, Callable[[Tensor], Tensor]] = DEFECTS,
    ) -> Floor:
        """Return the floor of one distance, brought to the score's numbers of clips.

        Args:
            key: of the distance; each is measured once.
            distance: of two sets of features.
            num_real: clips of the score's reference.
            order: between samples of one law the distance falls with ``(1/N + 1/M)^order``; None where unknown.
            higher_is_better: of the distance, which then is a score.
            defects: that the distance should notice; each is measured in every split.

        Returns:
            the floor; nothing is measured with fewer than 8 groups, as `effective_groups` counts them, and the note
            says so. Where clips come in groups, the floor is that of the parts: `order` holds within one law, and each
            patient has a law of its own.
        """
        count = int(self._groups.max()) + 1
        if self._effective_groups < FEWEST_GROUPS:
            return Floor(None, None, None, note=_too_few(count, self._effective_groups))
        if self._effective_groups < FEWEST_GROUPS_PER_CLIP * len(self._groups):
            order = None  # clips of one patient are alike: more clips of few patients are no nearer to each other
        if key not in self._splits:
            self._splits[key] = split_distances(
                distance, self.features, self._groups, self._num_fake, self._seed, defects
            )
        floor = floor_of_splits(self._splits[key], num_real, self._num_fake, order, higher_is_better)
        if order is None or floor.interval is None:
            return floor
        regime = Regime(num_real, self._num_fake, self.features.shape[1], count, count)
        coverage = simulated_coverage(f"floor_{key}", regime, floor.interval.level)
        return replace(floor, interval=replace(floor.interval, coverage=coverage))


def _too_few(count: int, effective: float) -> str:
    unequal = "" if round(effective, 1) == count else f" of unequal size, as good as {effective:.1f},"
    return f"{count} groups{unequal} of real clips are too few to split; {FEWEST_GROUPS} are needed"
