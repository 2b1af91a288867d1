# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole studies with a stand-in for training: jobs, their folders, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest

from downstream.arms import ArmError
from downstream.generators import GENERATORS
from downstream.jobs import find_job, list_jobs
from downstream.reporting import gather_scores
from downstream.scheduling import run_in_order
from downstream.study import Generator, Study, StudyError, Training
from downstream.work import run_job
from downstream.workspace import Workspace
from monai_feat.data import load_clip, read_datalist

from .conftest import make_study

pytestmark = pytest.mark.usefixtures("quick_training")
ARMS = (
    "real",
    "real repeated",
    "real + synthetic x1",
    "real + copies",
    "real + extra real",
    "real + pseudo-labelled synthetic x1",
    "semi-supervised, synthetic",
)


def run(study: Study, folder: Path) -> Workspace:
    workspace = Workspace(folder)
    outcome = run_in_order(
        list_jobs(study, study.folds), workspace, lambda job: run_job(study, workspace, job, progress=False), 0, str
    )
    assert outcome.complete, outcome
    return workspace


def dice(workspace: Workspace, study: Study, arm: str) -> float:
    scores = gather_scores(workspace, list_jobs(study, study.folds))
    return mean(score.value for score in scores if score.arm == arm and score.metric == "dice")


def test_new_clips_help_and_old_ones_do_not(tmp_path: Path) -> None:
    study = make_study(arms=ARMS, fractions=(0.5,), training=Training(steps=7, ema_decay=0.9))
    workspace = run(study, tmp_path)
    real = dice(workspace, study, "real")
    for arm in ("real + synthetic x1", "real + extra real", "semi-supervised, synthetic"):
        assert dice(workspace, study, arm) > real
    for arm in ("real repeated", "real + copies"):
        assert dice(workspace, study, arm) == real
    assert dice(workspace, study, "always empty") < 0.2


def test_a_study_says_how_near_outlines_must_be(tmp_path: Path) -> None:
    agreement = []
    for tolerance in (0.0, 100.0):
        study = make_study(arms=("real",), generator=Generator(), surface_tolerance=tolerance)
        scores = gather_scores(run(study, tmp_path / str(tolerance)), list_jobs(study, study.folds))
        agreement.append(mean(s.value for s in scores if (s.arm, s.metric) == ("always centre", "surface_dice")))
    assert agreement[0] < agreement[1] == 1


@pytest.mark.parametrize("kind", ["copies", "noise"])
def test_a_generator_of_copies_brings_nothing_new(tmp_path: Path, kind: str) -> None:
    study = make_study(generator=Generator(kind))  # type: ignore[arg-type]
    workspace = run(study, tmp_path)
    gain = dice(workspace, study, "real + synthetic x1") - dice(workspace, study, "real")
    assert (gain == 0) == (kind == "copies")  # the stand-in takes noise for clips that differ


def test_the_folder_of_a_training_is_an_auto3dseg_datalist(tmp_path: Path) -> None:
    study = make_study()
    workspace = run(study, tmp_path)
    datalist = read_datalist(workspace.job("train.real-synthetic-x1.100pct.fold0.seed0") / "datalist.json")
    trained = [item for item in datalist.training if item.fold is None]
    validated = [item for item in datalist.training if item.fold == 0]
    synthetic = [item for item in trained if item.flags == {"synthetic": 1}]
    assert len(synthetic) == len(trained) / 2
    assert not any(item.group for item in synthetic)
    groups = [{item.group for item in side if item.group} for side in (trained, validated, datalist.testing)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 8
    for item in datalist.testing:
        predicted = workspace.job("train.real.100pct.fold0.seed0") / "predictions" / item.image.name
        assert load_clip(predicted).shape == load_clip(item.image).shape


def test_the_generator_sees_training_patients_only(tmp_path: Path) -> None:
    study = make_study()
    workspace = run(study, tmp_path)
    known = set(workspace.finished("generate.100pct.fold0")["trained_on"])
    datalist = read_datalist(workspace.job("train.real.100pct.fold0.seed0") / "datalist.json")
    unseen = {item.group for item in (*datalist.testing, *datalist.training) if item.fold == 0} | {
        item.group for item in datalist.testing
    }
    assert known
    assert not known & unseen


def test_a_trained_generator_that_knows_a_test_patient_stops_the_study(tmp_path: Path) -> None:
    generator = Generator("trained", tmp_path, autoencoder_weights=tmp_path, network_weights=tmp_path,
                          training_groups=tuple(f"patient_{i:03d}" for i in range(8)))  # fmt: skip
    study, workspace = make_study(generator=generator), Workspace(tmp_path)
    with pytest.raises(StudyError, match="fold 0 at 100%: the generator was trained on patient_0"):
        run_job(study, workspace, list_jobs(study, [0])[0], progress=False)
    assert not workspace.is_done("prepare")


def test_an_arm_without_synthetic_clips_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, workspace = make_study(), Workspace(tmp_path)
    monkeypatch.setitem(GENERATORS, "phantoms", lambda request: [])
    jobs = list_jobs(study, [0])
    for name in ("prepare", "generate.100pct.fold0"):
        run_job(study, workspace, find_job(jobs, name), progress=False)
    with pytest.raises(ArmError, match="expected 6 synthetic clips, 1 for each of 6 real ones; got 0"):
        run_job(study, workspace, find_job(jobs, "train.real-synthetic-x1.100pct.fold0.seed0"), progress=False)
