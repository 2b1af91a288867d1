# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Membership inference: are the errors of training clips smaller than those of clips that were held out?

The null are the held-out patients; no further model is trained. Scores are made of training and held-out clips alike:
one fit to all of them says what makes a clip hard, and one scale serves both sides. So, if the weights tell nothing and
patients were held out at random, each order of all patients is about equally likely, for any law of the errors.

Letters: S kinds of error, F properties, N clips, G patients.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import torch
from scipy import stats
from torch import Generator, Tensor

from ..memorisation.calibration import group_weights, groups_needed
from .errors import ClipErrors
from .findings import LEVEL, Membership, TruePositiveRate

__all__ = ["FALSE_POSITIVE_RATES", "error_signals", "infer_membership", "membership_scores", "true_positive_rate"]

FALSE_POSITIVE_RATES = (0.01, 0.05)
NUM_RESAMPLED = 1000
COVERAGE = 0.95


def infer_membership(
    train: ClipErrors, held_out: ClipErrors, groups: Sequence[Sequence[str]], weights: str = "", seed: int = 0
) -> Membership:
    """Tell how well the errors of weights tell the patients of their training.

    Args:
        train: errors of training clips.
        held_out: errors of clips of other patients, who were held out at random.
        groups: patient of each clip, of both sides in this order.
        weights: where they lie, for the report.
        seed: of the intervals.

    Raises:
        ValueError: a patient is on both sides, groups do not fit, or an error is not finite.

    Example:
        >>> errors = torch.randn(7, 80, generator=torch.Generator().manual_seed(0))
        >>> names = tuple(map(str, range(7)))
        >>> train = ClipErrors(errors[:, :40] - 3, names, torch.zeros(3, 40))  # much smaller
        >>> held_out = ClipErrors(errors[:, 40:], names, torch.zeros(3, 40))
        >>> patients = [[f"a{i}" for i in range(40)], [f"b{i}" for i in range(40)]]
        >>> found = infer_membership(train, held_out, patients)
        >>> found.tells, found.rates[-1].value
        (True, 1.0)
    """
    _check(train, held_out, groups)
    signals = error_signals(train, held_out, [*groups[0], *groups[1]])  # (S, N)
    count = len(groups[0])
    known, null = membership_scores(signals, torch.arange(signals.shape[1]) >= count).tensor_split([count])
    patients = _by_patient(known, groups[0]), _by_patient(null, groups[1])
    singles = [str(i) for i in range(len(patients[0]))], [str(i) for i in range(len(patients[1]))]
    rates = [
        *(true_positive_rate("clip", known, null, groups, rate, seed) for rate in FALSE_POSITIVE_RATES),
        *(true_positive_rate("patient", *patients, singles, rate, seed) for rate in FALSE_POSITIVE_RATES),
    ]
    return Membership(
        weights=weights,
        rates=tuple(rates),
        by_error={name: _order(row, count, groups) for name, row in zip(train.names, signals, strict=True)},
        p_value=_p_value(*patients),
        num_clips=(count, len(null)),
        num_patients=(len(patients[0]), len(patients[1])),
        needed=groups_needed(LEVEL),
    )


def _check(train: ClipErrors, held_out: ClipErrors, groups: Sequence[Sequence[str]]) -> None:
    for side, errors, names in zip(("training", "held-out"), (train, held_out), groups, strict=True):
        if errors.errors.shape[1] != len(names) or not names:
            raise ValueError(f"expected the patient of each of {errors.errors.shape[1]} {side} clips, got {len(names)}")
        if not errors.errors.isfinite().all():
            raise ValueError(f"errors of {side} clips are not finite: the weights do not suit these clips")
    if both := sorted(set(groups[0]) & set(groups[1])):
        raise ValueError(f"patient {both[0]} is both in training and held out: no null can be had from it")


def error_signals(train: ClipErrors, held_out: ClipErrors, groups: Sequence[str]) -> Tensor:
    """Return how much smaller each error is than what makes a clip hard explains, of unit variance, ``(S, N)``."""
    errors = torch.cat([train.errors, held_out.errors], dim=1).double()
    properties = torch.cat([train.difficulty, held_out.difficulty], dim=1).double()
    weights = group_weights(groups)
    design = torch.cat([torch.ones_like(properties[:1]), _standardised(properties, weights)]).T  # (N, 1 + F)
    root = weights.sqrt()[:, None]
    # The pseudo-inverse does with properties that do not vary, or vary together.
    explained = design @ (torch.linalg.pinv(root * design) @ (root * errors.T))
    return _standardised(explained.T - errors, weights)


def _standardised(values: Tensor, weights: Tensor) -> Tensor:
    """Values ``(S, N)`` of mean 0 and variance 1 over patients; 0 where they do not vary."""
    share = weights / weights.sum()
    centred = values - (values @ share)[:, None]
    return centred / (centred.square() @ share).sqrt().clamp_min(1e-9)[:, None]


def membership_scores(signals: Tensor, is_held_out: Tensor) -> Tensor:
    """Return one score of each clip: what the denoiser tells over all levels, or the autoencoder, whichever is more.

    Both are put on one scale by the held-out clips; clips that were learnt would widen it.
    """
    both = torch.stack([signals[:-1].mean(0), signals[-1]])
    null = both[:, is_held_out]
    scale = null.std(dim=1, keepdim=True).clamp_min(1e-9)
    return ((both - null.mean(dim=1, keepdim=True)) / scale).amax(0)


def _by_patient(values: Tensor, groups: Sequence[str]) -> Tensor:
    """Means of values ``(N,)`` over the clips of each patient, ``(G,)``."""
    index = _patient_index(groups)
    return values.new_zeros(len(index.unique())).index_add_(0, index, values) / torch.bincount(index)


def _patient_index(groups: Sequence[str]) -> Tensor:
    """The number of the patient of each clip, ``(N,)``."""
    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    return torch.tensor([order[group] for group in groups])


def _order(signal: Tensor, count: int, groups: Sequence[Sequence[str]]) -> float:
    """Chance that a training patient's error is smaller than a held-out one's: the area under the curve."""
    known, null = _by_patient(signal[:count], groups[0]), _by_patient(signal[count:], groups[1])
    return float(stats.mannwhitneyu(known.numpy(), null.numpy()).statistic) / (len(known) * len(null))


def _p_value(known: Tensor, null: Tensor) -> float:
    """Of two ways to tell: a few patients who stick out, or all a little; the smaller p, doubled (Bonferroni)."""
    shifted = float(stats.mannwhitneyu(known.numpy(), null.numpy(), alternative="greater").pvalue)
    rank = math.floor(LEVEL * (len(null) + 1) + 1e-9)
    if rank < 1:
        return min(1.0, 2 * shifted)
    found = int((known > _limits(null[None], torch.ones(1, len(null)), rank - 1)[0]).sum())
    # The share of new patients above the rank-th of G follows Beta(rank, G + 1 - rank).
    outlying = float(stats.betabinom(len(known), rank, len(null) + 1 - rank).sf(found - 1))
    return min(1.0, 2 * min(shifted, outlying))


def _limits(nulls: Tensor, weights: Tensor, allowed: float) -> Tensor:
    """Highest scores of nulls ``(B, N)`` that are reached by more than so much weight ``(B, N)``, ``(B,)``."""
    order = nulls.argsort(dim=1, descending=True)
    reached = weights.double().gather(1, order).cumsum(1)  # (B, N)
    first = (reached > allowed + 1e-9).int().argmax(dim=1, keepdim=True)
    return nulls.gather(1, order).gather(1, first)[:, 0]


def true_positive_rate(
    unit: Literal["clip", "patient"],
    known: Tensor,
    null: Tensor,
    groups: Sequence[Sequence[str]],
    rate: float,
    seed: int = 0,
) -> TruePositiveRate:
    """Return the share of training scores whose conformal p-value, (k + 1)/(G + 1), is at most the rate.

    The interval takes both into account, the limit, by resampling held-out patients, and the share, by Jeffreys' law of
    as many patients as train; clips of one patient bring nothing new to it.

    Args:
        unit: what the scores are of.
        known: scores of the training, ``(N,)``.
        null: scores of what was held out, ``(M,)``.
        groups: patients of both.
        rate: of false positives.
        seed: of the resampling.
    """
    weights = group_weights(groups[1])
    patients = len(set(groups[1]))
    allowed = rate * (patients + 1) - 1
    if allowed < -1e-9:
        return TruePositiveRate(unit, rate, None, None)
    limit = _limits(null[None], weights[None], allowed)
    generator = Generator().manual_seed(seed)
    drawn = _resampled(weights, groups[1], generator)  # (B, M)
    limits = _limits(null.expand(NUM_RESAMPLED, -1), drawn, allowed)
    shares = (known > limits[:, None]).double().mean(1)
    effective = len(known) ** 2 / sum(size**2 for size in Counter(groups[0]).values())
    law = stats.beta(shares.numpy() * effective + 0.5, (1 - shares.numpy()) * effective + 0.5)
    values = law.rvs(random_state=seed)
    tail = (1 - COVERAGE) / 2
    low, high = torch.tensor(values).quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    value = float((known > limit).double().mean())
    return TruePositiveRate(unit, rate, value, (min(low, value), max(high, value)))


def _resampled(weights: Tensor, groups: Sequence[str], generator: Generator) -> Tensor:
    """Weights of clips when patients are drawn with replacement, ``(B, M)``."""
    index = _patient_index(groups)
    count = int(index.max()) + 1
    drawn = torch.randint(count, (NUM_RESAMPLED, count), generator=generator)
    times = torch.zeros(NUM_RESAMPLED, count).scatter_add_(1, drawn, torch.ones(NUM_RESAMPLED, count))
    return times[:, index] * weights
