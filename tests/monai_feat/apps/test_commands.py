# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from monai_feat import __version__
from monai_feat.apps.commands import COMMANDS, Command, main


def test_help_lists_each_command_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == main([]) == 0
    printed = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert any(line.split() == [name, *command.summary.split()] for line in printed.splitlines())
    assert max(map(len, printed.splitlines())) <= 80


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from monai_feat.apps.commands import main; main([]); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_how_it_is_called(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: monai-feat {name} ")
    assert "Exit codes: 0 " in printed
    assert f"    monai-feat {name}" in printed


def test_modules_are_those_of_the_table() -> None:
    for command in COMMANDS.values():
        assert bool(command.module) != bool(command.study)
        assert not command.module or find_spec(command.module) is not None


def test_an_unknown_command_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evalute"]) == 2
    error = capsys.readouterr().err
    assert "'evalute' (did you mean evaluate?)" in error
    assert all(name in error for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_that_is_stopped_says_how_to_go_on(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_arguments: Sequence[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Command, "load", lambda _command: SimpleNamespace(main=stop))
    assert main([name, "x"]) == 130  # 128 and the number of SIGINT, as shells have it
    assert capsys.readouterr().err.strip() == f"{name}: stopped. To go on, {COMMANDS[name].go_on}"


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "monai_feat", "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == __version__
