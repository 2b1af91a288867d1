# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether synthetic clips repeat each other: the first thing to know, since distances may miss it with few patients."""

from __future__ import annotations

import torch
from torch import Tensor

from ..reading.clips import evenly_spaced
from ..results import Repeats
from .feature_cache import Sample
from .spaces import FeatureSpace

__all__ = ["FEWEST_CLIPS", "NEAR_SHARE", "count_repeats", "find_repeats", "most_repeats", "nearest_distances"]

NEAR_SHARE = 0.05
FEWEST_CLIPS = 8
_MANY_CLIPS = 20  # below, only a share that no set of different clips reaches is told


def find_repeats(space: FeatureSpace, real: Sample, fake: Sample) -> Repeats | None:
    """Count the synthetic clips that have another synthetic clip nearer than real clips have one another.

    As near as the nearest 5 % of real clips, those of one patient included: of a generator as diverse as the real clips
    5 % are, of one that has collapsed all. Both sides are cut to the same number of clips, for the more there are, the
    nearer is the nearest.

    Args:
        space: of the distances; features are brought to the scale of both sides together where it says so, so that
            neither lies where the scale is drawn together.
        real: clips of the reference.
        fake: synthetic clips.

    Returns:
        None with fewer than 8 clips on a side.
    """
    count = min(len(real), len(fake))
    if count < FEWEST_CLIPS:
        return None
    a, b = _some(real, count), _some(fake, count)
    a, b = space.standardised_by(torch.cat([a, b])).whole(a, b)
    among_real, among_fake = nearest_distances(a), nearest_distances(b)
    repeated = count_repeats(among_real, among_fake)
    nearness = float(among_fake.median() / among_real.median().clamp(min=torch.finfo(among_real.dtype).tiny))
    return Repeats(repeated, count, most_repeats(count), nearness, space.title)


def count_repeats(among_real: Tensor, among_fake: Tensor) -> int:
    """Count the synthetic clips that have another one as near as only 5 % of real clips do; see `nearest_distances`."""
    return int((among_fake <= among_real.quantile(NEAR_SHARE)).sum())


def most_repeats(count: int) -> int:
    """Return how many of so many clips may be repeats by chance.

    A quarter and two more, or three quarters of fewer than 20: simulated, so that at most one in twenty sets of
    different clips has more (docs/evaluation.md).
    """
    return int(0.75 * count) if count < _MANY_CLIPS else int(0.25 * count + 2)


def nearest_distances(features: Tensor) -> Tensor:
    """Return the distance of each row ``(N, D)`` from the nearest other row, ``(N,)``."""
    distances = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")  # (N, N), exact near 0
    return distances.fill_diagonal_(float("inf")).amin(dim=1)


def _some(sample: Sample, count: int) -> Tensor:
    return sample.features[evenly_spaced(len(sample), count)]
