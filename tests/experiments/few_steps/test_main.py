# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line, without the study behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.few_steps import __main__ as command
from experiments.few_steps.study import Plan
from monai_feat.inferers import SAMPLERS


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the study is called with."""
    given: list[Any] = []
    monkeypatch.setattr(command, "run_study", lambda *arguments: given.extend(arguments) or [])
    monkeypatch.setattr(command, "describe", lambda rows: ["a table"])
    return given


def test_without_options_the_plan_is_the_usual_one(asked: list[Any], tmp_path: Path) -> None:
    assert command.main(["--out", str(tmp_path)]) == 0
    assert asked == ["ultrasound", tmp_path, Plan()]


def test_every_option_reaches_the_study(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Steps in descending order, as the study wants them, whatever their order on the command line."""
    numbers = ["--steps", "4", "50", "10", "--seeds", "3", "--clips", "2", "--references", "9"]
    more = ["--modality", "endoscopy", "--samplers", "ddim"]
    assert command.main(["--out", str(tmp_path), *numbers, *more]) == 0
    plan = Plan(2, 9, samplers=("ddim",), steps=(50, 10, 4), seeds=(3,))
    assert asked == ["endoscopy", tmp_path, plan]
    printed = capsys.readouterr().out
    assert "a table" in printed
    assert str(tmp_path / "curves.png") in printed


def test_weights_are_a_path(asked: list[Any], tmp_path: Path) -> None:
    assert command.main(["--out", str(tmp_path), "--weights", "other.safetensors"]) == 0
    assert asked[2] == Plan(weights=Path("other.safetensors"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--out", "x", "--samplers", "euler"], "multistep"),
        (["--out", "x", "--modality", "mri"], "ultrasound"),
        (["--out", "x", "--steps", "few"], "invalid int value: 'few'"),
        ([], "--out"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], complaint: str, asked: list[Any], refusal: Callable[..., str]
) -> None:
    assert complaint in refusal(command.main, arguments)
    assert not asked


def test_help_lists_the_samplers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in SAMPLERS)
