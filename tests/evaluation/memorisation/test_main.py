# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.memorisation import __main__ as command


def test_it_prints_a_table_and_writes_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        command, "split_clean", lambda *_: [{("clean", "clip"): (3, 64), ("clean", "gate"): (0, 1)}] * 4
    )
    monkeypatch.setattr(command, "phantom_cast", lambda *_: None)
    monkeypatch.setattr(command, "plant_copies", lambda *_: {("exact", "clip"): (16, 16), ("exact", "one"): (15, 16)})
    out = tmp_path / "gate"
    assert command.main(["--out", str(out), "--source", "phantom:endoscopy", "--repeats", "2"]) == 0
    printed = capsys.readouterr().out
    assert "| clean | 4.7% (2.7% to 8.0%) | 0.0% (0.0% to 49.0%) |  |  |" in printed
    (study,) = json.loads((out / "memorisation.json").read_text(encoding="utf-8"))["studies"]
    exact = study["rows"][-1]
    assert (exact["found"], exact["trials"], exact["spread"]) == (30, 32, 0.0)
    assert study["design"]["kind"] == "endoscopy"


def test_an_unknown_source_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--out", str(tmp_path), "--source", "phantom:lung"]) == 2
    assert "unknown phantom 'phantom:lung'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--splits", "0"], "expected --splits >= 1; got 0"),
        (["--repeats", "0", "--num-train", "8"], "expected --repeats >= 1, --num-train >= 16; got 0, 8"),
        (["--num-held-out", "1"], "expected --num-held-out >= 2; got 1"),
        (["--num-fake", "0"], "expected --num-fake >= 1; got 0"),
    ],
)
def test_sizes_that_cannot_work_are_refused_before_anything_is_made(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--out", str(tmp_path / "gate"), *arguments]) == 2
    assert capsys.readouterr().err == f"memorisation: {complaint}\n"
    assert not (tmp_path / "gate").exists()


def test_there_must_be_a_folder_to_write_to(refusal: Callable[..., str]) -> None:
    assert "--out" in refusal(command.main, [])
