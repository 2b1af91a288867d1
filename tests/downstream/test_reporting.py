# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a report is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from downstream.clips import write_clip, write_mask
from downstream.jobs import Job
from downstream.reporting import gather_scores, report_study, spent_minutes
from downstream.scores import Score, write_scores
from downstream.study import StudyError
from downstream.workspace import Workspace
from monai_feat.data import ClipItem

from .conftest import make_study

JOBS = [
    Job("g", "generate"),
    Job("a", "reference", arm="real"),
    Job("b", "train", arm="real", seed=1),
    Job("c", "train"),
]


def finished(folder: Path) -> Workspace:
    workspace = Workspace(folder)
    for seed, name in enumerate("ab"):
        workspace.finish(name, {"seconds": 90})
        write_scores(
            workspace.job(name) / "scores.csv", [Score("real", 1.0, 0, seed, "p", "x", "dice", 0.5 + seed / 10)]
        )
    workspace.finish("g", {"seconds": 30})
    return workspace


def test_scores_and_minutes_of_what_is_done(tmp_path: Path) -> None:
    workspace = finished(tmp_path)
    assert [score.value for score in gather_scores(workspace, JOBS)] == [0.5, 0.6]
    assert spent_minutes(workspace, JOBS) == {"generator": 0.5, "real": 3.0}
    (workspace.job("b") / "done.json").unlink()
    assert [score.value for score in gather_scores(workspace, JOBS)] == [0.5]


def test_there_must_be_something_to_report(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is nothing to report: no training of arm 'real' is done"):
        report_study(make_study(), Workspace(tmp_path), JOBS, {}, "")


@pytest.mark.parametrize(("patient", "is_named"), [("patient_1", True), ("file:/data/secret/x.png", False)])
def test_a_page_says_where_patients_have_no_name_and_not_where_their_files_are(
    tmp_path: Path, patient: str, is_named: bool
) -> None:
    workspace = Workspace(tmp_path)
    for arm, name in (("real", "a"), ("real + synthetic x1", "b")):
        workspace.finish(name, {"seconds": 1})
        score = Score(arm, 1.0, 0, 0, patient, "x", "dice", 0.5)
        write_scores(workspace.job(name) / "scores.csv", [score, replace(score, patient="q", clip="y", value=0.6)])
    jobs = [Job("a", "train", arm="real"), Job("b", "train", arm="real + synthetic x1")]
    (clips := workspace.clips).mkdir(parents=True)
    for stem in (clips / "x", clips / "y", *(workspace.job(job.id) / "predictions" / "x" for job in jobs)):
        write_clip(ClipItem(stem), torch.zeros(1, 2, 32, 32, dtype=torch.uint8), None, stem, 1.0)
    for stem in (clips / "x_label", clips / "y_label", *(workspace.job(job.id) / "predictions" / "y" for job in jobs)):
        write_mask(torch.zeros(1, 2, 32, 32, dtype=torch.uint8), stem.with_name(f"{stem.name}.nii.gz"))
    page = report_study(make_study(), workspace, jobs, {}, "").read_text(encoding="utf-8")
    assert ("Not all patients were named" in page) != is_named
    assert "secret" not in page
