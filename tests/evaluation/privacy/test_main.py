# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.privacy import __main__ as command
from evaluation.privacy.simulation import Design, RateCount
from evaluation.privacy.trainings import attack_training
from tests.evaluation.privacy.test_trainings import PLAN


def test_tables_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    counted = RateCount(0.25, (float("nan"), 0.5), (0.01, 0.05), (float("nan"), 1.0))
    monkeypatch.setattr(command, "DESIGNS", {"few": Design(10, 10)})
    monkeypatch.setattr(command, "simulate", lambda *given: counted)
    monkeypatch.setattr(command, "attack_training", lambda plan, *how, progress: attack_training(PLAN, *how))
    assert command.main(["--out", str(tmp_path), "--replicates", "2", "--seeds", "1", "--steps", "3"]) == 0
    found = json.loads((tmp_path / "privacy.json").read_text())
    assert [row["leak"] for row in found["simulated"]] == list(command.LEAKS)
    assert [row["training"] for row in found["trained"]] == ["over and over", "endless phantoms"]
    printed = capsys.readouterr().out
    assert "| few | nothing | 0.250 | — | 0.500 | 0.010, 0.050 | — | 1.000 |" in printed
    assert "| endless phantoms | 0 |" in printed


def test_impossible_numbers_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--out", str(tmp_path), "--seeds", "0"]) == 2
    assert "expected --replicates, --steps and --seeds >= 1" in capsys.readouterr().err
