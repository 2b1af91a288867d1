# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line, without the trainings behind it; `test_runner` has one that trains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monai_feat.apps.auto3dseg import __main__ as command


class Runner:
    """Stands for ``AutoRunner``, and keeps what it is told."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.ensemble: tuple[Any, ...] = ()
        self.has_run = False

    def set_ensemble_method(self, name: str, **options: Any) -> None:
        self.ensemble = (name, options)

    def run(self) -> None:
        self.has_run = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Runner]:
    runners: list[Runner] = []

    def make(*arguments: Any) -> Runner:
        runners.append(Runner(*arguments))
        return runners[-1]

    monkeypatch.setattr(command, "make_runner", make)
    return runners


def test_what_is_given_reaches_the_runner(made: list[Runner], capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "max_steps=7", "--set", "network=clip"]
    options = ["--dataroot", "here", "--modality", "ultrasound", "--best", "2"]
    assert command.main(["a.json", "--out", "my work", *settings, *options]) == 0
    (runner,) = made
    assert runner.arguments == ("a.json", "my work", {"max_steps": 7, "network": "clip"}, "here", "ultrasound")
    assert runner.ensemble == ("AlgoEnsembleBestN", {"n_best": 2})
    assert runner.has_run
    printed = capsys.readouterr().out
    assert str(Path("my work") / "vidseg_*" / "progress.yaml") in printed
    assert str(Path("my work") / "ensemble_output") in printed


def test_without_options_all_folds_are_one_ensemble(made: list[Runner]) -> None:
    assert command.main(["a.json", "--out", "x"]) == 0
    assert made[0].arguments == ("a.json", "x", {}, None, "video")
    assert made[0].ensemble == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate=1e-3", 0.001),
        ("learning_rate=0.5", 0.5),
        ("ema_decay=null", None),
        ("ema_decay=0.9", 0.9),
        ("max_steps=12", 12),
        ("augmentation=none", "none"),
    ],
)
def test_settings_have_the_type_that_they_look_like(text: str, expected: Any, made: list[Runner]) -> None:
    assert command.main(["a.json", "--out", "x", "--set", text]) == 0
    (value,) = made[0].arguments[2].values()
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [("steps=3", "unknown settings steps"), ("frame_size=50", "frame_size"), ("network=cube", "cube")],
)
def test_a_bad_setting_is_one_line_before_anything_is_made(
    setting: str, complaint: str, made: list[Runner], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["a.json", "--out", "x", "--set", setting]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("auto3dseg: ")
    assert complaint in line
    assert not made


@pytest.mark.parametrize("error", [OSError("no disk"), ValueError("no clips"), RuntimeError("was not trained")])
def test_what_goes_wrong_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], made: list[Runner]
) -> None:
    def fail(_: Runner) -> None:
        raise error

    monkeypatch.setattr(Runner, "run", fail)
    assert command.main(["a.json", "--out", "x"]) == 2
    assert capsys.readouterr().err == f"auto3dseg: {error}\n"


def test_a_datalist_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path / "missing.json"), "--out", str(tmp_path)]) == 2
    assert "missing.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a.json", "--out", "x", "--set", "max_steps"], "expected NAME=VALUE, got 'max_steps'"),
        (["a.json"], "--out"),
        (["--out", "x"], "datalist"),
        (["a.json", "--out", "x", "--best", "all"], "invalid int value: 'all'"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], complaint: str, made: list[Runner], refusal: Callable[..., str]
) -> None:
    assert complaint in refusal(command.main, arguments)
    assert not made


def test_help_shows_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    assert "python -m monai_feat.apps.auto3dseg phantoms/datalist.json --out work" in capsys.readouterr().out
