# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How gains come about in simulation: patients, folds, trainings and a rest each add something.

Many studies are drawn at once, and only what their statistics need of them. Letters: R studies, A arms, K folds,
n patients of a fold, S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.differences import Floats

__all__ = ["LAWS", "Design", "Spread", "Summaries", "draw_studies", "summarise"]

_LOGNORMAL = 0.8  # of the logarithm: skewness 3.7
_JUMPING = 0.05  # share of the patients


@dataclass(frozen=True)
class Design:
    """How large a study is.

    Attributes:
        folds: K.
        patients: n of each fold, in the mean.
        seeds: S of each fold.
        balanced: else folds have 4/3 and 2/3 as many patients in turn, and the first lacks a seed where there are two.
    """

    folds: int
    patients: int
    seeds: int
    balanced: bool = True

    @property
    def sizes(self) -> list[int]:
        """Patients of each fold."""
        if self.balanced:
            return [self.patients] * self.folds
        return [round(self.patients * (2 if fold % 2 else 4) / 3) for fold in range(self.folds)]

    @property
    def trainings(self) -> list[int]:
        """Seeds of each fold."""
        return [max(1, self.seeds - (not self.balanced and fold == 0)) for fold in range(self.folds)]


@dataclass(frozen=True)
class Spread:
    """Standard deviations of what makes gains differ, in units of that of patients.

    Attributes:
        fold: what the training patients of a fold, and its generator, do to all its patients.
        training: what a seed does to all patients of its fold.
        rest: of a patient in one training.
    """

    fold: float = 0.0
    training: float = 0.0
    rest: float = 0.5


LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Floats]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_t(3, size=shape) / math.sqrt(3),
    "skewed": lambda rng, shape: _lognormal(rng, shape),
    "jumps": lambda rng, shape: _jumps(rng, shape),
}
"""Of gains of patients, all of mean 0 and variance 1: normal; t of 3 degrees of freedom; lognormal of skewness 3.7;
and 80 % of the variance by one patient in 20, who gains or loses a whole lesion."""


@dataclass(frozen=True)
class Summaries:
    """What the statistics of R studies with A arms need.

    Attributes:
        means: of folds, ``(R, A, K)``.
        of_patients: sums of squares of patients around their fold, ``(R, A)``.
        of_trainings: sums of squares of trainings around their fold, ``(R, A)``.
        sizes: patients of each fold.
        trainings: seeds of each fold.
    """

    means: Floats
    of_patients: Floats
    of_trainings: Floats
    sizes: Sequence[int]
    trainings: Sequence[int]

    def first(self, studies: int) -> Summaries:
        """Return the first so many studies."""
        some = (self.means[:studies], self.of_patients[:studies], self.of_trainings[:studies])
        return Summaries(*some, self.sizes, self.trainings)


def summarise(values: Sequence[Floats]) -> Summaries:
    """Return what is needed of gains, ``(R, A, n, S)`` for each fold: the slow twin of `draw_studies`."""
    by_patient, by_training = ([block.mean(axis=axis) for block in values] for axis in (3, 2))
    return Summaries(
        np.stack([block.mean(axis=(2, 3)) for block in values], axis=-1),
        np.sum([_squares(block) for block in by_patient], axis=0),
        np.sum([_squares(block) for block in by_training], axis=0),
        [block.shape[2] for block in values],
        [block.shape[3] for block in values],
    )


def draw_studies(
    rng: np.random.Generator, design: Design, spread: Spread, law: str, studies: int, arms: int = 1
) -> Summaries:
    """Draw studies whose arms all gain nothing, in units of the standard deviation of patients.

    The gains of two arms share the reference, so they are correlated by 1/2.

    Raises:
        KeyError: the law is not one of `LAWS`.
    """
    means, of_patients, of_trainings = [], np.zeros((studies, arms)), np.zeros((studies, arms))
    for n, seeds in zip(design.sizes, design.trainings, strict=True):
        patients = LAWS[law](rng, (studies, arms + 1, n))
        patients = _paired(patients + spread.rest / math.sqrt(seeds) * rng.normal(size=patients.shape))  # (R, A, n)
        trainings = _paired(spread.training * rng.normal(size=(studies, arms + 1, seeds)))  # (R, A, S)
        folds = _paired(spread.fold * rng.normal(size=(studies, arms + 1, 1)))[..., 0]
        means.append(patients.mean(axis=-1) + trainings.mean(axis=-1) + folds)
        rest = spread.rest / math.sqrt(n) * rng.normal(size=trainings.shape)  # apart from its mean, which patients have
        of_patients += _squares(patients)
        of_trainings += _squares(trainings + rest)
    return Summaries(np.stack(means, axis=-1), of_patients, of_trainings, design.sizes, design.trainings)


def _paired(values: Floats) -> Floats:
    """Return what arms gain over the first of them, ``(R, A + 1, …)`` to ``(R, A, …)``, with the same variance."""
    return np.asarray(math.sqrt(0.5) * (values[:, 1:] + values[:, :1]))  # a sum, which keeps the law skewed


def _squares(values: Floats) -> Floats:
    return np.asarray(np.square(values - values.mean(axis=-1, keepdims=True)).sum(axis=-1))


def _lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    variance = _LOGNORMAL**2
    drawn = np.exp(_LOGNORMAL * rng.normal(size=shape)) - math.exp(variance / 2)
    return np.asarray(drawn / math.sqrt((math.exp(variance) - 1) * math.exp(variance)))


def _jumps(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    jumps = (rng.random(shape) < _JUMPING) - _JUMPING
    size = math.sqrt(0.8 / (_JUMPING * (1 - _JUMPING)))
    return np.asarray(size * jumps + math.sqrt(0.2) * rng.normal(size=shape))
