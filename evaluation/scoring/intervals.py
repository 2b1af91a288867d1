# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals of distances and of means, each with the coverage that it had in simulation.

docs/intervals.md says what each interval is about, what was simulated, and where none is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from monai_feat.files import read_json
from monai_feat.metrics.functional.rows import as_features, as_two_samples

from ..results import Interval
from .estimates import (
    Estimate,
    estimate_frechet,
    estimate_infinite_frechet,
    estimate_kernel,
    estimate_mean,
    group_numbers,
)

__all__ = [
    "METHODS",
    "TABLE",
    "Kind",
    "Regime",
    "distance_interval",
    "interval_ends",
    "mean_interval",
    "simulated_coverage",
    "tail_weight",
    "why_no_interval",
]

Kind = Literal["frechet", "frechet_infinite", "kernel"]

TABLE = Path(__file__).with_name("coverage_table.json")
METHODS = {
    "frechet": "infinitesimal jackknife over groups, of the logarithm; for the mean score at these numbers of clips",
    "frechet_infinite": "extrapolated from halves, infinitesimal jackknife over groups; for infinitely many clips",
    "kernel": "pairs of different groups, delete-a-group jackknife; for infinitely many clips",
    "mean": "cluster-robust t",
}
_JUDGED_LEVEL = 0.95
_MOST_MISSES = 2 * (1 - _JUDGED_LEVEL)  # an interval that misses more than twice as often as it says is not given


@dataclass(frozen=True)
class Regime:
    """How much data there is: all that the coverage of an interval is looked up by."""

    num_real: int
    num_fake: int
    num_features: int
    real_groups: int
    fake_groups: int

    def distance_to(self, other: Regime) -> float:
        """Return how far two regimes lie apart, in logarithms of their numbers, clips per feature and balance."""
        here, there = self._coordinates(), other._coordinates()
        return math.dist(here, there)

    def _coordinates(self) -> tuple[float, ...]:
        per_feature = min(self.num_real, self.num_fake) / self.num_features
        numbers = self.num_real, self.num_fake, self.num_features, self.real_groups, self.fake_groups
        # Clips per feature and the balance of the sides decide over the bias that is left, and count for more.
        decisive = math.log(per_feature), abs(math.log(self.num_real / self.num_fake))
        return (*map(math.log, numbers), *(2 * value for value in decisive))


def distance_interval(
    kind: Kind,
    real: Tensor,
    fake: Tensor,
    real_groups: Sequence[str],
    fake_groups: Sequence[str],
    level: float = 0.95,
    seed: int = 0,
    correction: int = 1,
) -> Interval | None:
    """Return the confidence interval of a distance, or None where none holds what it says (see `why_no_interval`).

    Args:
        kind: ``"frechet"``: for the mean score of new groups and new synthetic clips in these numbers, biased as the
            score is, to be read against its floor; ``"frechet_infinite"``: for the distance of the two laws;
            ``"kernel"``: for the MMD² of the two laws, to be read against 0.
        real: ``(N, D)``.
        fake: ``(M, D)``.
        real_groups: of each real clip: its patient or video. Groups must be independent of each other.
        fake_groups: of each synthetic clip; where they were drawn independently, a name for each.
        level: confidence, in (0, 1).
        seed: draws the halves of ``"frechet_infinite"``.
        correction: Fréchet covariances are divided by N - correction.

    Returns:
        The interval; its `coverage` is the worst over the simulated laws of the nearest simulated regime, those with
        heavier tails only where these features have such tails, see `tail_weight`.

    Raises:
        ValueError: an unknown kind, a level outside (0, 1), features that are no ``(N, D)`` of the same D or are not
            finite, or not one group per clip.
    """
    found = _interval_or_reason(kind, real, fake, real_groups, fake_groups, level, seed, correction)
    return found if isinstance(found, Interval) else None


def why_no_interval(
    kind: Kind, real: Tensor, fake: Tensor, real_groups: Sequence[str], fake_groups: Sequence[str]
) -> str:
    """Return in one sentence why `distance_interval` is None for these features; empty where it is not."""
    found = _interval_or_reason(kind, real, fake, real_groups, fake_groups, _JUDGED_LEVEL, 0, 1)
    return "" if isinstance(found, Interval) else found


def mean_interval(values: Sequence[float] | Tensor, groups: Sequence[str], level: float = 0.95) -> Interval | None:
    """Return the cluster-robust t interval of the mean of one value per clip; None for fewer groups than simulated.

    It has as many degrees of freedom as there are groups, less one; where all groups have one clip it is Student's. Its
    coverage is that for values of skewness up to 1.75; with few groups and far more skewed values it misses more often.

    Args:
        values: one per clip.
        groups: of each clip.
        level: confidence, in (0, 1).

    Raises:
        ValueError: there are no values, or some are not finite; a level outside (0, 1); not one group per clip.

    Example:
        >>> interval = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0], groups=["a", "b", "c", "d", "e"])
        >>> round(interval.low, 2), round(interval.high, 2)
        (1.04, 4.96)
    """
    _check_level(level)
    column = as_features(torch.as_tensor(values, dtype=torch.float64).reshape(-1, 1), "values", at_least=1)
    numbers = group_numbers(groups, len(column))
    count = int(numbers.max()) + 1
    regime = Regime(len(column), len(column), 1, count, count)
    if _refusal("mean", regime):
        return None
    estimate = estimate_mean(column[:, 0], numbers)
    low, high = interval_ends("mean", estimate, level)
    return Interval(low, high, level, METHODS["mean"], simulated_coverage("mean", regime, level), estimate.value)


def interval_ends(kind: str, estimate: Estimate, level: float) -> tuple[float, float]:
    """Return low and high end around an estimate.

    A ``"frechet"`` interval is symmetric on the logarithmic scale, or begins at 0 where it is wider than that can bear.
    """
    value, half = estimate.value, estimate.half_width(level)
    if kind != "frechet":
        return value - half, value + half
    if half >= value:
        return 0.0, value + half
    factor = math.exp(half / value)  # the standard error of log f is that of f, divided by f
    return value / factor, value * factor


def tail_weight(features: Tensor, groups: Tensor) -> float:
    """Return how heavy the tails of features are: 1 for a normal law with many groups, up to G where one group is all.

    ``G Σ r⁴ / (Σ r²)²``, r² the mean squared distance of a group's clips from the centre, over what that is for clips
    of a normal law: ``1 + 2 tr Σ² / (tr Σ)²``. It is Mardia's kurtosis (1970) without whitening, of groups.

    Args:
        features: ``(N, D)``.
        groups: number of the group of each, ``(N,)``.

    Example:
        >>> features = torch.eye(40)
        >>> features[0] *= 10
        >>> round(tail_weight(features, torch.arange(40)), 1)
        9.7
    """
    centred = features - features.mean(dim=0)
    squares = centred.square().sum(dim=1)
    total = squares.sum()
    if total <= 0:
        return 1.0
    sizes = torch.bincount(groups)
    radii = squares.new_zeros(len(sizes)).index_add_(0, groups, squares) / sizes
    gram = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    normal = 1 + 2 * gram.square().sum() / total.square()
    return float(len(sizes) * radii.square().sum() / radii.sum().square() / normal)


def simulated_coverage(kind: str, regime: Regime, level: float, tails: float = 1.0) -> float | None:
    """Return how often the interval held the truth in the nearest simulated regime, in the worst of its laws.

    Laws with heavier tails count only where `tails`, see `tail_weight`, is as large as in 49 of 50 of their samples.
    None where that level, or that kind, was not simulated.
    """
    rows = _rows(kind)
    if not rows:
        return None
    nearest = min(rows, key=regime.distance_to)
    found = [row["coverage"].get(f"{level:.4g}") for row in rows[nearest] if row.get("tails", 0) <= tails]
    known = [value for value in found if value is not None]
    return min(known) if known else None


def _interval_or_reason(
    kind: Kind,
    real: Tensor,
    fake: Tensor,
    real_groups: Sequence[str],
    fake_groups: Sequence[str],
    level: float,
    seed: int,
    correction: int,
) -> Interval | str:
    _check_level(level)
    if kind not in get_args(Kind):
        raise ValueError(f"unknown kind of distance {kind!r}; known are {', '.join(get_args(Kind))}")
    real, fake = as_two_samples(real, fake, at_least=1)
    groups = group_numbers(real_groups, len(real)), group_numbers(fake_groups, len(fake))
    counts = [int(numbers.max()) + 1 for numbers in groups]
    if (real == real[:1]).all() and (fake == real[:1]).all():
        return "it is the same in every clip of both sides, as colour is in grey clips"
    if torch.equal(real, fake):
        return "both sides hold the same clips: an interval is about independent ones"
    regime = Regime(len(real), len(fake), real.shape[1], counts[0], counts[1])
    tails = max(tail_weight(real, groups[0]), tail_weight(fake, groups[1]))
    if reason := _refusal(kind, regime, tails):
        return reason
    estimate = _estimate(kind, real, fake, groups, seed, correction)
    low, high = interval_ends(kind, estimate, level)
    return Interval(low, high, level, METHODS[kind], simulated_coverage(kind, regime, level, tails), estimate.value)


def _estimate(
    kind: Kind, real: Tensor, fake: Tensor, groups: tuple[Tensor, Tensor], seed: int, correction: int
) -> Estimate:
    if kind == "kernel":
        return estimate_kernel(real, fake, *groups)
    if kind == "frechet":
        return estimate_frechet(real, fake, *groups, correction)
    return estimate_infinite_frechet(real, fake, *groups, correction, seed)


def _refusal(kind: str, regime: Regime, tails: float = 1.0) -> str:
    """Return why this regime, with such tails, has no interval; empty where it has one."""
    rows = _rows(kind)
    fewest = min((min(row.real_groups, row.fake_groups) for row in rows), default=2)
    groups = min(regime.real_groups, regime.fake_groups)
    if groups < fewest:
        return f"only {groups} independent groups on one side; the fewest that were simulated are {fewest}"
    coverage = simulated_coverage(kind, regime, _JUDGED_LEVEL, tails)
    if coverage is None or 1 - coverage <= _MOST_MISSES:
        return ""
    without = simulated_coverage(kind, regime, _JUDGED_LEVEL)
    such = "" if coverage == without else ", with some clips or patients as far out as here,"
    return (
        f"in simulation of the nearest numbers of clips and features{such} an interval of {_JUDGED_LEVEL:.0%} "
        f"held the truth in {coverage:.0%} only"
    )


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_json(TABLE)
    return table


@cache
def _rows(kind: str) -> dict[Regime, list[dict[str, Any]]]:
    """Return the rows of each simulated law, by regime."""
    rows: dict[Regime, list[dict[str, Any]]] = {}
    for row in _table()["rows"]:
        if row["kind"] == kind:
            rows.setdefault(Regime(**row["regime"]), []).append(row)
    return rows


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"expected a level of confidence between 0 and 1, such as 0.95, got {level}")
