# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line, without the study behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.faithfulness import __main__ as command
from experiments.faithfulness.questions import QUESTIONS
from experiments.faithfulness.study import Budget
from experiments.seed_table import Row


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the study is called with."""
    given: list[Any] = []

    def record(*arguments: Any) -> dict[str, list[Row]]:
        given.extend(arguments)
        return {"a table": [Row("real", {"error": 0.5}, {})]}

    monkeypatch.setattr(command, "run_study", record)
    return given


def test_without_options_the_budget_is_the_usual_one(asked: list[Any], tmp_path: Path) -> None:
    assert command.main(["--condition", "ejection_fraction", "--out", str(tmp_path)]) == 0
    assert asked == [{"ejection_fraction": QUESTIONS["ejection_fraction"]}, tmp_path, Budget(), False, None]


def test_every_option_reaches_the_study(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = ["--training-steps", "1", "--segmenter-steps", "2", "--training-clips", "3"]
    sampled = ["--clips", "4", "--steps", "5"]
    more = ["--guidance", "1", "2.5", "--seeds", "7", "8", "--from-scratch", "--network-weights", "feat.pt"]
    assert command.main(["--condition", "mask", "first_frames", "--out", str(tmp_path), *trained, *sampled, *more]) == 0
    questions, out, budget, *network = asked
    assert (list(questions), out, network) == (["mask", "first_frames"], tmp_path, [True, Path("feat.pt")])
    assert budget == Budget(1, 2, 3, 4, 5, guidance_scales=(1.0, 2.5), seeds=(7, 8))
    printed = capsys.readouterr().out
    assert "| real | 0.500 |" in printed
    assert f"Look at {tmp_path / 'report.md'}" in printed


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--condition", "ejection_fraction", "polyp_present", "--out", "x"], "of different modalities"),
        (["--condition", "age", "--out", "x"], "ejection_fraction"),
        (["--condition", "mask"], "--out"),
        (["--out", "x"], "--condition"),
        (["--condition", "mask", "--out", "x", "--guidance", "strong"], "invalid float value: 'strong'"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], complaint: str, asked: list[Any], refusal: Callable[..., str]
) -> None:
    assert complaint in refusal(command.main, arguments)
    assert not asked


def test_help_lists_the_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in QUESTIONS)
