# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How near is too near: the null of held-out clips, and what it says about one clip and about a whole set.

Held-out clips are of patients that the model never saw, so their nearness to training clips is what chance gives. All
spaces become one score for each clip: nearness as Fisher's z in each space, standardised by held-out clips, and the
largest over spaces. From the scores of held-out clips follow

- a p-value of one clip, conformal: (k + 1)/(G + 1), where k of G held-out patients are at least as near. It assumes
  nothing about the shape of the null, but cannot be smaller than 1/(G + 1);
- a limit that, by chance, hardly any clip of a whole set passes: a Gumbel law fitted to the scores, the limit law of
  maxima, whose upper tail is heavier than that of Fisher's z, so that it errs towards a farther limit;
- the most clips of a set that may have p ≤ α by chance, from the beta-binomial law.

Clips of one patient are not independent: each patient counts as one, whatever the number of clips.
Legend: S spaces, N clips, G patients.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

__all__ = ["Null", "group_weights", "groups_needed", "max_by_chance", "tail_factor"]

QUANTILES = (0.1, 0.9)  # that fix the Gumbel law; a few outliers move neither
GUMBEL_QUANTILES = tuple(-math.log(-math.log(q)) for q in QUANTILES)
FEWEST_GROUPS = 3  # below that, no law is fitted
SIMULATIONS, LARGEST_SIMULATED = 10_000, 256


def groups_needed(false_positive_rate: float) -> int:
    """Return the fewest held-out patients of which a p-value can be as small as the false-positive rate: 19 for 5 %.

    Example:
        >>> groups_needed(0.05)
        19
    """
    return math.ceil(1 / false_positive_rate - 1e-9) - 1


def group_weights(groups: Sequence[str]) -> Tensor:
    """Return the weight of each clip, such that those of one group sum to 1, ``(N,)``."""
    sizes = Counter(groups)
    return torch.tensor([1 / sizes[group] for group in groups], dtype=torch.float64)


@dataclass(frozen=True)
class Null:
    """Scores of held-out clips.

    Attributes:
        centres: location of Fisher's z of each space ``(S, 1)``.
        scales: its scale ``(S, 1)``.
        scores: of the held-out clips, ``(N,)``.
        weights: of the held-out clips, ``(N,)``; those of one patient sum to 1.
        num_groups: patients G.
    """

    centres: Tensor
    scales: Tensor
    scores: Tensor
    weights: Tensor
    num_groups: int

    @classmethod
    def fit(cls, z: Tensor, groups: Sequence[str]) -> Null:
        """Standardise spaces and score held-out clips by Fisher's z ``(S, N)``; `groups` names the patient of each."""
        weights = group_weights(groups)
        laws = torch.tensor([_gumbel(row, weights) for row in z], dtype=torch.float64)
        centres, scales = laws[:, :1], laws[:, 1:]
        return cls(centres, scales, ((z - centres) / scales).amax(0), weights, len(set(groups)))

    def score(self, z: Tensor) -> Tensor:
        """Return how near clips are, ``(N,)``, from Fisher's z of each space ``(S, N)``."""
        return self.standardised(z).amax(0)

    def standardised(self, z: Tensor) -> Tensor:
        """Return the nearness of clips in each space, on one scale, ``(S, N)``."""
        return (z - self.centres) / self.scales

    def distances(self, score: float) -> Tensor:
        """Return the distance 1 − r at which each space alone gives a score, ``(S,)``."""
        return 1 - torch.tanh(self.centres + score * self.scales)[:, 0]

    def p_values(self, scores: Tensor) -> Tensor:
        """Return the conformal p-value of each score, ``(N,)``."""
        as_near = (self.scores[None] >= scores[:, None]).double() @ self.weights
        return (as_near + 1) / (self.num_groups + 1)

    def near_limit(self, false_positive_rate: float) -> float:
        """Return the score above which a p-value is at most the false-positive rate; infinite with too few patients."""
        order = self.scores.argsort(descending=True)
        above = self.weights[order].cumsum(0) - self.weights[order]  # weight of held-out clips nearer than each
        allowed = (above + 1) / (self.num_groups + 1) <= false_positive_rate + 1e-12
        return float(self.scores[order][allowed][-1]) if allowed.any() else math.inf

    def copy_limit(self, num_clips: int, false_positive_rate: float) -> float:
        """Return the score that the nearest of so many clean clips passes by chance at this rate only."""
        centre, scale = _gumbel(self.scores, self.weights)
        return centre + scale * tail_factor(self.num_groups, num_clips, false_positive_rate)


def _gumbel(values: Tensor, weights: Tensor) -> tuple[float, float]:
    """Location and scale of the Gumbel law that has the quantiles `QUANTILES` of weighted values."""
    order = values.argsort()
    share = weights[order] / weights.sum()
    places = (share.cumsum(0) - share / 2).numpy()
    low, high = np.interp(QUANTILES, places, values[order].numpy())
    centre, scale = _law(np.asarray(low), np.asarray(high))
    return float(centre), max(float(scale), 1e-6)


def _law(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale = (high - low) / (GUMBEL_QUANTILES[1] - GUMBEL_QUANTILES[0])
    return low - GUMBEL_QUANTILES[0] * scale, scale


@lru_cache(maxsize=1024)
def tail_factor(num_groups: int, num_clips: int, false_positive_rate: float) -> float:
    """Return how many fitted scales above the fitted location the largest of new values comes at this rate only.

    (largest − location)/scale has one law whatever the Gumbel law is that all values come from, so it is simulated, and
    the uncertainty of a fit to few values is part of it. More than 256 patients count as 256.

    Args:
        num_groups: independent values that the law was fitted to.
        num_clips: new values.
        false_positive_rate: of all new values together.
    """
    if num_groups < FEWEST_GROUPS:
        return math.inf
    rng = np.random.default_rng(0)
    count = min(num_groups, LARGEST_SIMULATED)
    places = (np.arange(count) + 0.5) / count
    drawn = np.sort(rng.gumbel(size=(SIMULATIONS, count)), axis=1)
    low, high = np.array([np.interp(QUANTILES, places, row) for row in drawn]).T
    centre, scale = _law(low, high)
    largest = rng.gumbel(size=SIMULATIONS) + math.log(num_clips)
    return float(np.quantile((largest - centre) / scale, 1 - false_positive_rate))


def max_by_chance(num_groups: int, num_clips: int, false_positive_rate: float, level: float) -> int:
    """Return the most of so many clean clips that have a p-value of at most `false_positive_rate`, but for `level`.

    With j = ⌊α(G + 1)⌋, the share of clips nearer than the j-th nearest of G patients follows Beta(j, G + 1 − j),
    and so their number is beta-binomial.
    """
    rank = math.floor(false_positive_rate * (num_groups + 1) + 1e-9)
    if rank < 1:
        return 0
    return int(stats.betabinom(num_clips, rank, num_groups + 1 - rank).ppf(1 - level))
