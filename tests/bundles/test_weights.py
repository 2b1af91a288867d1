# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundles import weights
from bundles.weights import Plan, train_weights
from monai_feat.apps.recipe import Recipe
from monai_feat.checkpoints import load_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan("ultrasound", tmp_path, autoencoder_seconds=2, decoder_seconds=2, feat_seconds=3, num_clips=4)


SMALL = {
    "train_autoencoder": {"frame_size": 32, "num_statistics_frames": 2},
    "train": {"frame_size": 32, "num_frames": 4, "num_val_clips": 2, "val_interval": 1000},
}


def test_all_are_trained_in_their_time_once(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, run = [], Recipe.run

    def run_small(self: Recipe, config: str, *overlays: str, **options: Any) -> None:
        calls.append("+".join([config, *overlays]))
        run(self, config, *overlays, **options, **SMALL[config])

    monkeypatch.setattr(Recipe, "run", run_small)
    autoencoder, network = train_weights(plan)
    assert autoencoder.is_file()
    assert network.is_file()
    record = json.loads((plan.out / "record.json").read_text())
    assert record["hours"].keys() == {"autoencoder", "decoder", "feat"}
    last = max((plan.out / "feat" / "checkpoints").glob("*.pt"), key=lambda path: path.stat().st_mtime)
    assert load_checkpoint(last)["time_budget"]["seconds"] >= 3

    train_weights(plan)
    stages = ["train_autoencoder", "train_autoencoder+adversarial+decoder", "train+conditioned"]
    assert calls == stages
    network.unlink()
    train_weights(replace(plan, feat_seconds=4))  # goes on from the last checkpoint
    assert calls == [*stages, "train+conditioned"]


def test_what_the_command_says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = []
    results = Path("a.safetensors"), Path("f.safetensors")
    monkeypatch.setattr(weights, "train_weights", lambda plan: asked.append(plan) or results)
    assert weights.main(["--modality", "ultrasound", "--feat-seconds", "60", "--start", "other.safetensors"]) == 0
    usual = Plan("ultrasound", Path("runs/weights/ultrasound"))
    assert asked == [replace(usual, feat_seconds=60, start=Path("other.safetensors"))]
    assert capsys.readouterr().out.split() == [str(path) for path in results]
