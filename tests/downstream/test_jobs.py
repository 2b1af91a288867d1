# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of jobs: complete, in order, and each by a name of its own."""

from __future__ import annotations

from itertools import product

import pytest

from downstream.jobs import check_stage, find_job, list_jobs
from downstream.study import Generator, StudyError

from .conftest import make_study


def test_every_arm_fraction_fold_and_seed_is_a_job() -> None:
    study = make_study(fractions=(0.5, 1.0), seeds=(3, 4, 5), arms=("real", "real repeated"), generator=Generator())
    cells = [(j.arm, j.fraction, j.fold, j.seed) for j in list_jobs(study, [0, 1]) if j.arm]
    assert sorted(cells) == sorted(product(study.arms, study.fractions, [0, 1], study.seeds))


def test_jobs_come_after_those_that_they_need() -> None:
    study = make_study(
        arms=("real + pseudo-labelled synthetic x1", "real", "real + extra real"), fractions=(0.5, 1.0), fidelity=True
    )
    jobs = list_jobs(study, [0, 1])
    names = [job.id for job in jobs]
    assert len(set(names)) == len(names)
    for place, job in enumerate(jobs):
        assert set(job.needs) <= set(names[:place])
    assert [job.stage for job in jobs].count("fidelity") == [job.stage for job in jobs].count("generate") == 4
    assert not [job for job in jobs if job.arm == "real + extra real" and job.fraction == 1]


def test_pseudo_labels_come_from_the_reference_of_the_same_seed() -> None:
    study = make_study(arms=("real", "real + pseudo-labelled synthetic x1"), seeds=(7, 8))
    job = find_job(list_jobs(study, [0]), "train.real-pseudo-labelled-synthetic-x1.100pct.fold0.seed8")
    assert job.needs == ("prepare", "generate.100pct.fold0", "train.real.100pct.fold0.seed8")


def test_a_generator_that_no_arm_uses_is_not_run() -> None:
    assert {job.stage for job in list_jobs(make_study(arms=("real",)), [0])} == {"prepare", "reference"}


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(StudyError, match=r"close ones: train\.real\.100pct\.fold0\.seed0"):
        find_job(list_jobs(make_study(), [0]), "train.real.100pct.fold0.seed9")
    with pytest.raises(StudyError, match="unknown stage 'trian'; the stages are prepare, generate, reference, train"):
        check_stage("trian")
