# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events

from monai_feat.apps.auto3dseg import SegmentationSettings
from monai_feat.apps.auto3dseg.records import KeptWeights, claim_folder
from monai_feat.checkpoints import Description, Pretrained, load_checkpoint, read_description, read_metadata

SETTINGS = SegmentationSettings()


class Number(Pretrained):
    """A network of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def arguments(self) -> dict[str, Any]:
        return {}


def kept(path: Path, scores: list[float] | None, start: int = 0) -> dict[str, str]:
    """Weights that count the rounds of a training, with the score of each, or with none."""
    network, evaluator = Number(), SimpleNamespace(state=SimpleNamespace(metrics={}))
    trainer = Engine(lambda engine, batch: None)

    def validate(engine: Engine) -> None:
        network.weight.data.fill_(start + engine.state.epoch)
        if scores is not None:
            evaluator.state.metrics = {"dice": scores[engine.state.epoch - 1]}

    trainer.add_event_handler(Events.EPOCH_COMPLETED, validate)
    judge: Any = None if scores is None else evaluator
    KeptWeights(network, judge, path, SETTINGS).attach(trainer)
    trainer.run([0, 0], max_epochs=3 if scores is None else len(scores))
    notes = read_metadata(path)
    return {**notes, "round": str(int(load_checkpoint(path)["weight"].item()))}


def test_the_best_are_kept_over_a_resume(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    notes = kept(path, [0.2, 0.6, 0.6, 0.3])
    assert (notes["round"], notes["step"], notes["dice"]) == ("2", "4", "0.6")
    assert SegmentationSettings.of_weights(path) == SETTINGS
    assert read_description(path) == Description("Number", clips=SETTINGS.clips)
    assert kept(path, [0.5], start=4)["round"] == "2"
    assert kept(path, [0.7], start=5)["round"] == "6"


def test_without_validation_the_latest_are_kept(tmp_path: Path) -> None:
    notes = kept(tmp_path / "model.safetensors", None)
    assert (notes["round"], notes["step"]) == ("3", "6")
    assert "dice" not in notes


def test_a_folder_belongs_to_one_training(tmp_path: Path) -> None:
    items = [{"image": tmp_path / "a.mp4", "label": tmp_path / "a.png", "fold": 0}]
    folder = tmp_path / "run"
    claim_folder(folder, SETTINGS, items=items, val_items=[])
    claim_folder(folder, SETTINGS, items=[{**items[0], "fold": 1}], val_items=[])
    with pytest.raises(FileExistsError, match=r"run holds another training \(other settings, val_items\)"):
        claim_folder(folder, SegmentationSettings(seed=1), items=items, val_items=items)
