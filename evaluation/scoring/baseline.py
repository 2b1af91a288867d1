# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What real clips score against each other: floors of all scores in one feature space, from one pool of real clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..results import Floor
from .feature_cache import Sample
from .floors import measure_floor, size_ratio

__all__ = ["Baseline"]

Distance = Callable[[Tensor, Tensor], float]


class Baseline:
    """Splits all real clips, training and held-out, by group, and measures distances between the parts.

    Held-out clips are worth having here as well: with as many of them as training clips, the parts are as large as the
    sides of the score.

    Args:
        samples: of all real sides.
        num_fake: synthetic clips of the score.
        seed: of the splits.
    """

    def __init__(self, samples: Sequence[Sample], num_fake: int, seed: int = 0) -> None:
        self.features = torch.cat([sample.features for sample in samples])
        self._groups = [group for sample in samples for group in sample.groups]
        self._num_fake, self._seed = num_fake, seed
        self._measured: dict[str, Floor] = {}

    def floor(self, key: str, distance: Distance, num_real: int, order: float | None = None) -> Floor:
        """Return the floor of one distance, brought to the score's numbers of clips.

        Args:
            key: of the distance; each is measured once.
            distance: of two sets of features.
            num_real: clips of the score's reference.
            order: between samples of one law the distance falls with ``(1/N + 1/M)^order``; None where unknown.
        """
        if key not in self._measured:
            self._measured[key] = measure_floor(distance, self.features, self._groups, self._num_fake, seed=self._seed)
        return _at(self._measured[key], num_real, self._num_fake, order)


def _at(floor: Floor, num_real: int, num_fake: int, order: float | None) -> Floor:
    """Scale what was measured on parts of other sizes."""
    if floor.measured is None or floor.interval is None or floor.num_real is None or floor.num_fake is None:
        return floor
    measured_at = f"measured with {floor.num_real} against {floor.num_fake} real clips"
    if (floor.num_real, floor.num_fake) == (num_real, num_fake):
        return replace(floor, note=measured_at)
    if order is None:
        return replace(floor, note=f"{measured_at}, not with {num_real} against {num_fake}: not corrected")
    scale = size_ratio((num_real, num_fake), (floor.num_real, floor.num_fake)) ** order
    return replace(
        floor,
        measured=floor.measured * scale,
        interval=replace(floor.interval, low=floor.interval.low * scale, high=floor.interval.high * scale),
        scale=scale,
        note=f"{measured_at}, and corrected to {num_real} against {num_fake} to first order",
    )
