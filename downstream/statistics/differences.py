# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Gains of an arm over the reference, paired clip by clip: one number for each patient and training.

Letters: P patients, K folds, n patients of a fold, S seeds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..metric_table import METRICS
from ..scores import Score

__all__ = ["Differences", "Floats", "arm_values", "paired_differences"]

Floats = npt.NDArray[np.float64]
_Job = tuple[int, int]  # fold, seed
_Table = dict[_Job, dict[tuple[str, str], float]]  # value by patient and clip, by job


@dataclass(frozen=True)
class Differences:
    """Gains of one arm at one fraction, positive where the arm is better.

    Attributes:
        arm: that is compared.
        metric: of the scores.
        fraction: of the real data.
        folds: in ascending order.
        patients: of each fold.
        seeds: of each fold.
        values: of each fold, mean over a patient's clips, ``(n, S)``.
        left_out: jobs that one of both arms lacks, in words.
    """

    arm: str
    metric: str
    fraction: float
    folds: tuple[int, ...]
    patients: tuple[tuple[str, ...], ...]
    seeds: tuple[tuple[int, ...], ...]
    values: tuple[Floats, ...] = field(repr=False, compare=False)
    left_out: tuple[str, ...] = ()

    def by_patient(self) -> dict[str, float]:
        """Return each patient's gain, mean over seeds."""
        names = [name for patients in self.patients for name in patients]
        return dict(zip(names, np.concatenate([block.mean(axis=1) for block in self.values]).tolist(), strict=True))


def paired_differences(scores: Iterable[Score], arm: str, reference: str, metric: str, fraction: float) -> Differences:
    """Pair an arm with the reference at equal fold, seed and clip.

    A fold and seed that only one of both arms has, because a job failed, is left out and named.

    Raises:
        ValueError: a patient is on the test side of two folds, both arms scored different clips in a job, or have no
            job in common.
    """
    wanted = [score for score in scores if score.metric == metric and score.fraction == fraction]
    ours, theirs = (_table(score for score in wanted if score.arm == name) for name in (arm, reference))
    jobs = sorted(ours.keys() & theirs.keys())
    where = f"{metric} at {fraction:g} of the real data"
    if not jobs:
        raise ValueError(f"{where}: arms {arm!r} and {reference!r} have no fold and seed in common")
    _check_folds(jobs, ours, where)
    blocks: dict[int, dict[int, dict[str, float]]] = defaultdict(dict)
    for fold, seed in jobs:
        what = f"{where}, fold {fold}, seed {seed}, arm {arm!r}"
        blocks[fold][seed] = _gains(ours[fold, seed], theirs[fold, seed], METRICS[metric].higher_is_better, what)
    missing = [(arm, job) for job in theirs.keys() - ours.keys()] + [(reference, job) for job in ours.keys() - theirs]
    return Differences(
        arm,
        metric,
        fraction,
        folds=tuple(blocks),
        patients=tuple(tuple(next(iter(block.values()))) for block in blocks.values()),
        seeds=tuple(tuple(block) for block in blocks.values()),
        values=tuple(_as_array(block, f"{where}, fold {fold}") for fold, block in blocks.items()),
        left_out=tuple(f"{name}, fold {fold}, seed {seed}" for name, (fold, seed) in sorted(missing)),
    )


def arm_values(scores: Iterable[Score], arm: str, metric: str, fraction: float) -> dict[int, Floats]:
    """Return the scores of one arm by fold: mean over a patient's clips, ``(n, S)``; patients in ascending order.

    Raises:
        ValueError: the arm has no such scores, a patient is tested in two folds, or seeds scored different patients.
    """
    chosen = [s for s in scores if (s.arm, s.metric, s.fraction) == (arm, metric, fraction)]
    table, where = _table(chosen), f"{metric} of arm {arm!r} at {fraction:g} of the real data"
    if not table:
        raise ValueError(f"{where}: there are no scores")
    _check_folds(sorted(table), table, where)
    blocks: dict[int, dict[int, dict[str, float]]] = defaultdict(dict)
    for fold, seed in sorted(table):
        blocks[fold][seed] = _by_patient(table[fold, seed])
    return {fold: _as_array(block, f"{where}, fold {fold}") for fold, block in blocks.items()}


def _table(scores: Iterable[Score]) -> _Table:
    table: _Table = defaultdict(dict)
    for score in scores:
        table[score.fold, score.seed][score.patient, score.clip] = score.value
    return dict(table)


def _check_folds(jobs: Iterable[_Job], table: _Table, where: str) -> None:
    fold_of: dict[str, int] = {}
    for fold, seed in jobs:
        for patient, _ in table[fold, seed]:
            if fold_of.setdefault(patient, fold) != fold:
                raise ValueError(f"{where}: patient {patient!r} is tested in fold {fold_of[patient]} and in {fold}")


def _gains(
    ours: Mapping[tuple[str, str], float], theirs: Mapping[tuple[str, str], float], higher_is_better: bool, what: str
) -> dict[str, float]:
    """Return the mean gain over the clips of each patient, by name."""
    if ours.keys() != theirs.keys():
        clips = sorted(f"{clip} of {patient}" for patient, clip in ours.keys() ^ theirs.keys())
        raise ValueError(f"{what}: only one of it and the reference scored {', '.join(clips[:5])} ({len(clips)} clips)")
    sign = 1.0 if higher_is_better else -1.0
    return _by_patient({key: sign * (value - theirs[key]) for key, value in ours.items()})


def _by_patient(values: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Return the mean over the clips of each patient, by name in ascending order."""
    clips: dict[str, list[float]] = defaultdict(list)
    for (patient, _), value in sorted(values.items()):
        clips[patient].append(value)
    return {patient: sum(found) / len(found) for patient, found in clips.items()}


def _as_array(block: Mapping[int, Mapping[str, float]], where: str) -> Floats:
    """Return gains ``(n, S)``."""
    first = next(iter(block.values()))
    for seed, gains in block.items():
        if gains.keys() != first.keys():
            raise ValueError(f"{where}: seed {seed} has other patients than seed {next(iter(block))}")
    return np.array([[gains[patient] for gains in block.values()] for patient in first])
