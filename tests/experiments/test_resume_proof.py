# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments import resume_proof
from experiments.resume_proof import Outcome, compare, main


def state(**changes: Any) -> dict[str, Any]:
    return {"network": {"weight": torch.tensor([1.0, 2.0])}, "steps": [3, {"rate": 0.1}], **changes}


def test_the_same_is_the_same() -> None:
    assert compare(state(), state()) == (1, ())


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"network": {"weight": torch.tensor([1.0, 2.0000002])}}, ("network/weight",)),  # the last bit
        ({"network": {"weight": torch.tensor([1.0, 2.0]).double()}}, ("network/weight",)),
        ({"network": {}}, ("network/weight",)),
        ({"steps": [3, {"rate": 0.2}]}, ("steps/1/rate",)),
        ({"steps": [3, {"rate": 0.1}, 4]}, ("steps/2",)),
        ({"network": {"weight": None}, "scaler": 1}, ("network/weight", "scaler")),
    ],
)
def test_every_difference_is_named(changes: dict[str, Any], names: tuple[str, ...]) -> None:
    assert compare(state(), state(**changes))[1] == names


def test_a_difference_fails_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([Outcome("train", 4, 48, (0, 8, 20), 90, ()), Outcome("train", 5, 48, (0, 0, 4), 90, ("ema/a",))])
    monkeypatch.setattr(resume_proof, "prove", lambda *_: next(outcomes))
    (tmp_path / "train_4").mkdir()
    assert main(["--out", str(tmp_path), "--seeds", "4", "5"]) == 1
    rows = (tmp_path / "report.md").read_text().splitlines()[2:]
    assert rows[0].endswith("| 48 | 8, 20 | 90 | none |")
    assert rows[1].endswith("| 48 | 0, 4 | 90 | ema/a |")
    report = json.loads((tmp_path / "report.json").read_text())
    assert [each["differing"] for each in report["outcomes"]] == [[], ["ema/a"]]


@pytest.mark.slow
def test_a_killed_training_of_the_bundle_leaves_the_same(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--configs", "train_autoencoder", "--seeds", "3", "--kills", "2"]) == 0
    [outcome] = json.loads((tmp_path / "report.json").read_text())["outcomes"]
    assert outcome["tensors"] > 100
    assert 0 < max(outcome["resumed_at"]) <= outcome["iterations"] == 48
