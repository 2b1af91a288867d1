# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from monai_feat.bundle import end_with_cause, find_cause
from monai_feat.checkpoints import CheckpointError, load_checkpoint


def fails(config: dict[str, Any], expression: str) -> BaseException:
    with pytest.raises(BaseException) as raised:  # noqa: PT011 (whatever MONAI makes of it)
        ConfigParser(config).get_parsed_content(expression)
    return raised.value


def test_the_cause_is_found_below_what_monai_wraps_it_in(tmp_path: Path) -> None:
    missing = str(tmp_path / "absent.pt")
    loader = {"_target_": "monai_feat.checkpoints.load_checkpoint", "path": missing}
    error = fails({"weights": loader, "used": {"_target_": "builtins.dict", "weights": "@weights"}}, "used")
    assert isinstance(error, RuntimeError)
    cause = find_cause(error)
    assert isinstance(cause, (CheckpointError, FileNotFoundError))
    assert missing in str(cause)


def test_an_expression_that_fails_is_found_too() -> None:
    cause = find_cause(fails({"n": "$1 / 0"}, "n"))
    assert type(cause) is ZeroDivisionError


def test_an_error_without_wrapper_is_its_own_cause() -> None:
    error = ValueError("plain")
    error.__cause__ = KeyError("what led to it")
    assert find_cause(error) is error


def test_a_process_ends_with_one_line() -> None:
    program = "from monai_feat.bundle import end_with_cause\nend_with_cause()\nraise ValueError('two\\nlines')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "error: ValueError: two lines (--debug True shows where)\n"


def said_by(error: BaseException, capsys: pytest.CaptureFixture[str]) -> list[str]:
    sys.excepthook(type(error), error, error.__traceback__)
    return capsys.readouterr().err.splitlines()


def test_debugging_shows_the_traceback_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    end_with_cause(debug=True)
    with pytest.raises(FileNotFoundError) as raised:
        load_checkpoint(tmp_path / "absent.pt")
    lines = said_by(raised.value, capsys)
    assert lines[0].startswith("Traceback")
    assert lines[-1].startswith("error: ")
    assert "absent.pt" in lines[-1]
    assert "FileNotFoundError" not in lines[-1]  # a sentence of ours needs no name of a class


def test_an_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    end_with_cause("resume")
    assert said_by(KeyboardInterrupt(), capsys) == ["stopped. To go on, resume"]
