# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A small data set, and a stand-in for training that gets better with every new training clip."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from downstream import work
from downstream.study import Data, Generator, Phantoms, Study, Training
from monai_feat.data import load_clip

Items = Sequence[Mapping[str, Any]]


def train(
    settings: Any, items: Items, val_items: Items, output_dir: Path, unlabelled_items: Items = (), progress: bool = True
) -> Path:
    """Count the training images that differ, and keep the number as the weights."""
    assert val_items
    assert settings.max_steps == 7
    images = {load_clip(item["image"]).numpy().tobytes() for item in [*items, *unlabelled_items]}
    path = Path(output_dir) / "model.safetensors"
    path.write_text(json.dumps(len(images)))
    return path


def predict(path: Path, items: Items) -> Iterator[tuple[Mapping[str, Any], Tensor]]:
    """Give the true mask, of which the more columns are missing the fewer clips have trained."""
    count = json.loads(Path(path).read_text())
    for item in items:
        mask = load_clip(item["label"]).as_tensor()
        mask[..., :: 1 + count] = 0
        yield item, mask


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "train_segmenter", train)
    monkeypatch.setattr(work, "predict_masks", predict)


def make_study(**changes: Any) -> Study:
    """Ultrasound phantoms of eight patients, two folds, fresh phantoms as synthetic clips."""
    options: dict[str, Any] = {
        "title": "a study",
        "data": Data(
            "ultrasound", phantoms=Phantoms("ultrasound", 16, 8, num_folds=2, seed=3), frame_size=32, num_frames=2
        ),
        "arms": ("real", "real + synthetic x1"),
        "generator": Generator("phantoms"),
        "training": Training(steps=7),
        "folds": (0,),
        "seeds": (0,),
        "fidelity": False,
    }
    return Study(**{**options, **changes})
