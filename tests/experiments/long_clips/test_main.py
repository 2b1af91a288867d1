# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line, without the study behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.long_clips import __main__ as command
from experiments.long_clips.study import Budget
from experiments.seed_table import Row


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the study is called with."""
    given: list[Any] = []

    def record(*arguments: Any) -> tuple[list[Row], dict[str, dict[int, float]]]:
        given.extend(arguments)
        return [Row("real", {"drift": 0.5}, {})], {"one pass": {8: 12.4}}

    monkeypatch.setattr(command, "run_study", record)
    return given


def test_without_options_the_budget_is_the_usual_one(asked: list[Any], tmp_path: Path) -> None:
    assert command.main(["--out", str(tmp_path)]) == 0
    assert asked == ["ultrasound", tmp_path, Budget()]


def test_every_option_reaches_the_study(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = ["--frames", "32", "--clips", "2", "--steps", "5", "--seeds", "7", "8", "--memory-frames", "16", "48"]
    assert command.main(["--out", str(tmp_path), "--modality", "endoscopy", *numbers]) == 0
    assert asked == ["endoscopy", tmp_path, Budget(32, 2, 5, (7, 8), (16, 48))]
    printed = capsys.readouterr().out
    assert "| real | 0.50 |" in printed
    assert "| one pass | 12 |" in printed
    assert str(tmp_path / "report.md") in printed


def test_memory_need_not_be_measured(asked: list[Any], tmp_path: Path) -> None:
    assert command.main(["--out", str(tmp_path), "--memory-frames"]) == 0
    assert asked[2] == Budget(memory_frames=())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--out", "x", "--modality", "mri"], "ultrasound"),
        (["--out", "x", "--frames", "many"], "invalid int value: 'many'"),
        (["--out", "x", "--seeds"], "--seeds"),
        ([], "--out"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], complaint: str, asked: list[Any], refusal: Callable[..., str]
) -> None:
    assert complaint in refusal(command.main, arguments)
    assert not asked
