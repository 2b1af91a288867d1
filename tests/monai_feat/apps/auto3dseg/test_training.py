# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from monai_feat.apps.auto3dseg import SegmentationSettings, predict_masks, train_segmenter
from monai_feat.apps.auto3dseg import training as module
from monai_feat.checkpoints import load_checkpoint, read_metadata
from monai_feat.data import load_clip
from monai_feat.data.datalist import DatalistError

SETTINGS = SegmentationSettings(frame_size=32, init_filters=4, max_steps=5, batch_size=2, val_interval=2)
Items = list[dict[str, Any]]


def dice(weights: Path, items: Items) -> float:
    scores = []
    for item, mask in predict_masks(weights, items):
        label = load_clip(item["label"]).as_tensor()
        assert (mask.shape, mask.dtype) == (label.shape, torch.uint8)
        scores.append(float(2 * (mask * label).sum() / (mask.sum() + label.sum())))
    return sum(scores) / len(scores)


def test_it_learns_what_a_ventricle_is(items: Items, tmp_path: Path) -> None:
    """Predictions have the clips' own size, here also the network's: the scores are those of the validation."""
    settings = replace(SETTINGS, init_filters=8, max_steps=60, batch_size=8, val_interval=30, learning_rate=5e-3)
    weights = train_segmenter(settings, items[:3], items[3:], tmp_path, progress=False)
    assert dice(weights, items[3:]) == pytest.approx(float(read_metadata(weights)["dice"]), abs=1e-3)
    assert dice(weights, items) > 0.7


def test_a_stopped_training_ends_with_the_same_bits(
    items: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, ema_decay=0.9, augmentation="strong")
    arguments = (settings, items[:2], items[2:], tmp_path / "parts", items[3:], False)
    seen = []

    def fail_in_step_4(self: Any, *args: Any) -> Any:
        seen.append(None)
        if len(seen) == 4:
            raise MemoryError("killed")
        return forward(self, *args)

    forward = module.ClipSegmentationLoss.forward
    with monkeypatch.context() as patch:
        patch.setattr(module.ClipSegmentationLoss, "forward", fail_in_step_4)
        with pytest.raises(MemoryError):
            train_segmenter(*arguments)
    assert not (tmp_path / "parts" / "model.safetensors").exists()
    parts = train_segmenter(*arguments)
    whole = train_segmenter(*arguments[:3], tmp_path / "whole", *arguments[4:])
    assert read_metadata(parts) == read_metadata(whole)
    torch.testing.assert_close(load_checkpoint(parts), load_checkpoint(whole), rtol=0, atol=0)
    assert sorted(file.name for file in (tmp_path / "parts").iterdir()) == ["model.safetensors", "training.json"]


def test_a_complete_training_is_not_repeated(items: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = train_segmenter(SETTINGS, items[:1], (), tmp_path, progress=False)
    assert read_metadata(weights)["step"] == "5"
    monkeypatch.setattr(module, "SupervisedTrainer", None)
    assert train_segmenter(SETTINGS, items[:1], (), tmp_path, progress=False) == weights
    with pytest.raises(FileExistsError, match=r"holds another training \(other items\)"):
        train_segmenter(SETTINGS, items[:2], (), tmp_path, progress=False)


@pytest.mark.parametrize("validated", [False, True])
def test_without_validation_the_last_weights_are_kept(items: Items, tmp_path: Path, validated: bool) -> None:
    weights = train_segmenter(SETTINGS, items[:1], items[1:2] if validated else (), tmp_path, progress=False)
    assert ("dice" in read_metadata(weights)) == validated


def test_the_clip_network_trains(items: Items, tmp_path: Path) -> None:
    settings = replace(SETTINGS, network="clip", num_frames=3, max_steps=2)
    weights = train_segmenter(settings, items[:2], (), tmp_path, progress=False)
    assert [mask.shape for _, mask in predict_masks(weights, items[:1])] == [(1, 8, 32, 32)]


def test_bad_input_is_refused_before_the_training(items: Items, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one item"):
        train_segmenter(SETTINGS, [], items, tmp_path)
    with pytest.raises(ValueError, match="need a teacher: set ema_decay"):
        train_segmenter(SETTINGS, items, (), tmp_path, items)
    bad = [{"image": tmp_path / f"{i}.mp4", "label": tmp_path / f"{i}.png"} for i in range(2)]
    with pytest.raises(DatalistError, match=r"(?s)2 of 2 clips.*0\.mp4.*1\.mp4"):
        train_segmenter(SETTINGS, bad, (), tmp_path, progress=False)
