# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A study as a list of jobs that are independent of each other but for what each of them names.

Jobs of one stage can run at the same time, on one machine or on many: their results meet in the study's folder only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .arms import REFERENCE, Arm, get_arm
from .study import Study, StudyError

__all__ = ["Job", "Stage", "find_job", "list_jobs", "prepare_job"]

Stage = Literal["prepare", "generate", "reference", "train", "fidelity"]
"""Stages in their order. ``reference`` trains the arm that gives pseudo-labels, ``train`` all others."""


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        id: its name, and that of its folder.
        stage: what it does.
        needs: ids of the jobs that have to be done before.
        arm: of training jobs.
        fraction: of the real data.
        fold: that is tested.
        seed: of training.
    """

    id: str
    stage: Stage
    needs: tuple[str, ...] = ()
    arm: str = ""
    fraction: float = 1.0
    fold: int = 0
    seed: int = 0


def prepare_job() -> Job:
    """The first job, on which all others wait: it brings the real clips into their form."""
    return Job("prepare", "prepare")


def list_jobs(study: Study, folds: Sequence[int]) -> list[Job]:
    """List all jobs of a study, each after those that it needs."""
    first = prepare_job()
    cells = [(fold, fraction) for fold in folds for fraction in study.fractions]
    generating = [_generate(*cell) for cell in cells] if _generates(study) else []
    training = [
        _train(study, get_arm(arm), fraction, fold, seed)
        for arm in sorted(study.arms, key=lambda name: name != REFERENCE)
        for fraction in study.fractions
        if study.applies(arm, fraction)
        for fold in folds
        for seed in study.seeds
    ]
    fidelity = [_fidelity(job) for job in generating] if study.fidelity else []
    return [first, *generating, *training, *fidelity]


def find_job(jobs: Sequence[Job], identifier: str) -> Job:
    """Return a job by its id.

    Raises:
        StudyError: there is none; names the closest.
    """
    known = {job.id: job for job in jobs}
    if identifier not in known:
        close = ", ".join(difflib.get_close_matches(identifier, known, n=3)) or "none like it"
        raise StudyError(f"no job {identifier!r}; close ones: {close}; --list prints all {len(known)}")
    return known[identifier]


def check_stage(name: str) -> Stage:
    """Return a stage by its name.

    Raises:
        StudyError: there is none; lists all.
    """
    if name not in get_args(Stage):
        raise StudyError(f"unknown stage {name!r}; the stages are {', '.join(get_args(Stage))}")
    return name  # type: ignore[return-value]


def _generates(study: Study) -> bool:
    return any(get_arm(arm).uses_generator for arm in study.arms)


def _generate(fold: int, fraction: float) -> Job:
    return Job(_id("generate", fraction, fold), "generate", ("prepare",), fraction=fraction, fold=fold)


def _train(study: Study, arm: Arm, fraction: float, fold: int, seed: int) -> Job:
    needs = ["prepare"]
    if arm.uses_generator:
        needs.append(_id("generate", fraction, fold))
    if arm.is_pseudo_labelled:
        needs.append(_id(f"train.{_slug(REFERENCE)}", fraction, fold, seed))
    stage: Stage = "reference" if arm.name == REFERENCE else "train"
    identifier = _id(f"train.{_slug(arm.name)}", fraction, fold, seed)
    return Job(identifier, stage, tuple(needs), arm.name, fraction, fold, seed)


def _fidelity(generating: Job) -> Job:
    identifier = _id("fidelity", generating.fraction, generating.fold)
    return Job(identifier, "fidelity", (generating.id,), fraction=generating.fraction, fold=generating.fold)


def _id(what: str, fraction: float, fold: int, seed: int | None = None) -> str:
    end = "" if seed is None else f".seed{seed}"
    return f"{what}.{100 * fraction:g}pct.fold{fold}{end}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name).strip("-")
