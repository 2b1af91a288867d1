# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How gains, and scores, come about in simulation: patients, folds, trainings and clips each add something."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..scores import Score
from ..statistics.differences import Floats

__all__ = ["LAWS", "ArmLaw", "Design", "Spread", "draw_gains", "draw_scores"]

_BASE, _PATIENT, _CLIP = 0.75, 0.10, 0.04  # Dice of the reference: mean, and standard deviations
_LOGNORMAL = 0.8  # of the logarithm: skewness 3.7


@dataclass(frozen=True)
class Design:
    """How large a study is.

    Attributes:
        folds: K.
        patients: of each fold.
        seeds: S, of each fold.
        clips: of each patient.
    """

    folds: int
    patients: int
    seeds: int
    clips: int = 2


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
}
"""Of gains of patients, all of mean 0 and variance 1: normal; t of 3 degrees of freedom; lognormal of skewness 3.7."""


def draw_gains(rng: np.random.Generator, design: Design, spread: Spread, law: str, gain: float = 0.0) -> list[Floats]:
    """Draw the gains of one study, ``(n, S)`` for each fold, in units of the standard deviation of patients.

    Raises:
        KeyError: the law is not one of `LAWS`.
    """
    folds, patients, seeds = design.folds, design.patients, design.seeds
    of_patients = LAWS[law](rng, (folds, patients, 1))
    of_folds = spread.fold * rng.normal(size=(folds, 1, 1))
    of_trainings = spread.training * rng.normal(size=(folds, 1, seeds))
    rest = spread.rest * rng.normal(size=(folds, patients, seeds))
    return list(gain + of_patients + of_folds + of_trainings + rest)


@dataclass(frozen=True)
class ArmLaw:
    """What an arm does to Dice: the true gain, and standard deviations of what makes it differ.

    Attributes:
        name: of the arm.
        gain: true mean gain.
        patient: of the gain between patients.
        fold: between folds.
        training: between seeds of a fold.
    """

    name: str
    gain: float
    patient: float = 0.03
    fold: float = 0.005
    training: float = 0.01


_REFERENCE = ArmLaw("real", gain=0.0, patient=0.0, fold=0.0)


def draw_scores(rng: np.random.Generator, design: Design, arms: Sequence[ArmLaw]) -> list[Score]:
    """Draw the Dice of one study: a reference named ``real``, and arms that change it.

    How hard a patient and a clip are is the same for all arms, so that gains are paired. Dice stays within
    [0, 1]; it is far enough from both that this hardly moves a gain.
    """
    scores: list[Score] = []
    for fold in range(design.folds):
        ease = _BASE + _PATIENT * rng.normal(size=(design.patients, 1, 1))
        ease = ease + _CLIP * rng.normal(size=(design.patients, 1, design.clips))
        for arm in (_REFERENCE, *arms):
            rest = _CLIP * rng.normal(size=(design.patients, design.seeds, design.clips))
            scores += _as_scores(np.clip(ease + _change(rng, design, arm) + rest, 0, 1), arm.name, fold)
    return scores


def _change(rng: np.random.Generator, design: Design, arm: ArmLaw) -> Floats:
    """Return what an arm does to each patient and seed of one fold, ``(n, S, 1)``."""
    of_patients = arm.patient * rng.normal(size=(design.patients, 1, 1))
    of_trainings = arm.training * rng.normal(size=(1, design.seeds, 1))
    return np.asarray(arm.gain + of_patients + of_trainings + arm.fold * rng.normal())


def _as_scores(values: Floats, arm: str, fold: int) -> Iterator[Score]:
    for (patient, seed, clip), value in np.ndenumerate(values):
        owner = f"{fold}-{patient}"
        yield Score(arm, 1.0, fold, seed, owner, f"{owner}-{clip}", "dice", float(value))


def _lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    variance = _LOGNORMAL**2
    drawn = np.exp(_LOGNORMAL * rng.normal(size=shape)) - math.exp(variance / 2)
    return np.asarray(drawn / math.sqrt((math.exp(variance) - 1) * math.exp(variance)))
