# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from monai_feat.records import code_state, environment, hardware, packages


def test_packages_and_hardware_are_those_that_run() -> None:
    assert packages()["torch"] == version("torch")
    assert packages()["python"] == platform.python_version()
    found = hardware()
    assert found["cores"] >= 1
    assert found["processor"]


def test_code_is_told_by_revision_and_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    def state() -> dict[str, object] | None:
        code_state.cache_clear()
        return code_state()

    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("one = 1\n")
    monkeypatch.setattr(environment, "_HOME", package)
    git("init", "-q")
    assert state() is None  # a package that lies in a repository, but is no part of it
    git("add", ".")
    git("commit", "-q", "-m", "first")
    revision = git("rev-parse", "HEAD").strip()
    assert state() == {"revision": revision, "changed": [], "diff_sha256": None}
    (package / "__init__.py").write_text("one = 2\n")
    found = state()
    assert found is not None
    assert found["changed"] == ["package/__init__.py"]
    assert found["diff_sha256"] is not None
    code_state.cache_clear()
