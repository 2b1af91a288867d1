# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.sensitivity import __main__ as command
from tests.evaluation.sensitivity.test_curves import SPACE

WriteClips = Callable[..., Path]


@pytest.fixture(autouse=True)
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "offline_spaces", lambda: [SPACE])


def test_it_prints_a_table_for_each_source_and_writes_json(
    write_clips: WriteClips, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = write_clips("clips", 4, frames=8), tmp_path / "out"
    sources = ["--data", str(folder), "--data", "phantom:ultrasound"]
    options = ["--group", r"p(\d)", "--num-frames", "4", "--num-clips", "4", "--size", "32", "--seeds", "2"]
    assert command.main(["--out", str(out), *sources, *options, "--splits", "3", "--quiet"]) == 0
    printed = capsys.readouterr()
    assert f"{folder}: 4 clips 3 x 4 x 32 x 32 of 4 patients, 2 seeds" in printed.out
    assert printed.out.count("| Frozen frames | ") == 2
    assert not printed.err
    real, phantoms = json.loads((out / "sensitivity.json").read_text(encoding="utf-8"))["studies"]
    assert (real["patients"], phantoms["patients"], real["seeds"]) == (4, 4, [0, 1])
    assert [len(answer["grew"]) for answer in real["answers"]] == [2] * 9
    assert phantoms["answers"][0]["values"][0] != phantoms["answers"][0]["values"][1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--data", "phantom:lung"], "unknown phantom 'lung'"),
        (["--data", "nowhere"], "no such folder"),
        (["--data", "clips", "--group", "p(.)"], "at least 4 patients to split them in halves, got 2"),
        (["--data", "clips"], "shorter than 16 frames"),
        (["--seeds", "0"], "expected --seeds >= 1"),
        (["--num-clips", "3"], "--num-clips >= 4"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    complaint: str,
    write_clips: WriteClips,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clips("clips", 2), write_clips("clips", 2, first=4)
    frames = ["--num-frames", "4"] if "--group" in arguments else []
    assert command.main(["--out", "out", "--quiet", *arguments, *frames]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sensitivity: ")
    assert complaint in line
