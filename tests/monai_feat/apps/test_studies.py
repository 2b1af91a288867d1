# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Studies are those beside the library, whatever lies where somebody works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monai_feat.apps import studies
from monai_feat.apps.studies import import_study

ROOT = Path(__file__).resolve().parents[3]


def test_a_folder_of_that_name_is_not_taken_for_the_study(tmp_path: Path) -> None:
    for name in ("evaluation", "monai_feat_evaluation"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('shadowed')")
    code = "from monai_feat.apps.studies import import_study as i; print(i('evaluation', 'results').__file__)"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()) == ROOT / "evaluation" / "results.py"


def test_it_is_imported_once_under_its_own_name() -> None:
    module = import_study("downstream", "jobs")
    assert module is import_study("downstream", "jobs")
    assert module.__name__ == "monai_feat_downstream.jobs"
    assert module.Job.__module__ == "monai_feat_downstream.jobs"


def test_an_installed_study_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("monai_feat_trial", "trial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "cli.py").write_text(f"WHICH = {name!r}")
    monkeypatch.setattr(studies, "HOME", tmp_path)
    assert import_study("trial", "cli").WHICH == "monai_feat_trial"


def test_a_study_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "HOME", tmp_path)
    with pytest.raises(ModuleNotFoundError, match="monai_feat_absent is not there"):
        import_study("absent", "cli")
