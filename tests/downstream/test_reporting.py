# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a report is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from downstream.jobs import Job
from downstream.reporting import gather_scores, report_study, spent_minutes
from downstream.scores import Score, write_scores
from downstream.study import StudyError
from downstream.workspace import Workspace

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
