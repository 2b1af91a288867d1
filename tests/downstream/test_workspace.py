# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a study: markers of what is done, and whose folder it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from downstream.study import StudyError, Training
from downstream.workspace import Workspace

from .conftest import make_study


def test_a_job_is_done_when_it_says_so(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.job("a").mkdir(parents=True)
    assert not workspace.is_done("a")
    with pytest.raises(StudyError, match="job a is not done"):
        workspace.finished("a")
    workspace.finish("a", {"seconds": 3})
    assert workspace.is_done("a")
    assert workspace.finished("a") == {"seconds": 3}


def test_results_of_two_studies_never_mix(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.claim(make_study())
    workspace.claim(make_study())
    with pytest.raises(StudyError, match=r"holds another study .training: .*'steps': 7.* there, .*'steps': 8"):
        workspace.claim(make_study(training=Training(steps=8)))
