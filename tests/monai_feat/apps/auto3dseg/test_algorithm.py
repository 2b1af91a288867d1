# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from monai_feat.apps.auto3dseg import (
    ClipPredictor,
    ClipStats,
    SegmentationSettings,
    choose_parameters,
    predict_masks,
    read_parameters,
    template_folder,
    train_fold,
    write_stats,
)

SMALL = {"frame_size": 32, "image_channels": 1, "init_filters": 4, "max_steps": 2, "batch_size": 2}


@pytest.fixture
def config(phantoms: Path) -> dict[str, Any]:
    return {**SMALL, "datalist": str(phantoms), "dataroot": str(phantoms.parent), "fold": 1}


def source_file(folder: Path, phantoms: Path, **more: Any) -> str:
    source = {"modality": "x", "datalist": str(phantoms), "dataroot": str(phantoms.parent), **more}
    (folder / "input.yaml").write_text(yaml.safe_dump(source))
    return str(folder / "input.yaml")


def test_the_template_names_every_setting() -> None:
    template = yaml.safe_load((template_folder() / "vidseg" / "configs" / "hyper_parameters.yaml").read_text())
    assert list(template) == [field.name for field in fields(SegmentationSettings)]
    unset = [name for name, value in template.items() if value is None]
    assert unset == ["num_classes", "legend", "image_channels", "frame_size"]  # chosen by the data, but for the legend


def test_parameters_follow_the_data(tmp_path: Path, phantoms: Path) -> None:
    template = {"num_classes": None, "image_channels": None, "frame_size": None, "max_steps": 7}
    write_stats(ClipStats(4, 3, 3, rows=530, columns=620, frames=1), tmp_path / "datastats.yaml")
    source = source_file(tmp_path, phantoms)
    chosen = choose_parameters(template, str(tmp_path / "datastats.yaml"), source, fold=1)
    assert {key: chosen[key] for key in template} == {
        "num_classes": 3,
        "image_channels": 3,
        "frame_size": 256,
        "max_steps": 7,
    }
    assert (chosen["datalist"], chosen["fold"]) == (str(phantoms), 1)
    # Without an analysis of clips the clips are looked at; what is set stays; names of classes count.
    source = source_file(tmp_path, phantoms, class_names=["a", "b", "c"])
    chosen = choose_parameters({**template, "image_channels": 3}, str(tmp_path / "none.yaml"), source, fold=0)
    assert [chosen[key] for key in template] == [4, 3, 32, 7]


def test_a_fold_trains_and_predicts(tmp_path: Path, config: dict[str, Any], items: list[dict[str, Any]]) -> None:
    weights = train_fold(tmp_path, config)
    (progress,) = yaml.safe_load((tmp_path / "progress.yaml").read_text())
    assert 0 <= progress["best_avg_dice_score"] <= 1
    assert tmp_path / progress["weights"] == weights
    assert train_fold(tmp_path, config) == weights
    assert train_fold(tmp_path, {**config, "seed": 1}) != weights

    predictor = ClipPredictor(tmp_path)
    chance = predictor.infer({"image": items[0]["image"]})
    assert chance.shape == (2, 8, 32, 32)
    assert chance.meta["filename_or_obj"] == str(items[0]["image"])
    ((_, mask),) = predict_masks(tmp_path / predictor.progress["weights"], items[:1])
    torch.testing.assert_close(chance.as_tensor().argmax(0)[None].byte(), mask)


def test_bad_input_is_refused(tmp_path: Path, config: dict[str, Any], phantoms: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not trained yet"):
        ClipPredictor(tmp_path)
    with pytest.raises(ValueError, match="unknown settings steps; the known ones are"):
        train_fold(tmp_path, {**config, "steps": 3})
    with pytest.raises(ValueError, match='no clip has "fold": 9'):
        train_fold(tmp_path, {**config, "fold": 9})
    content = json.loads(phantoms.read_text())
    content["training"].append({"image": content["testing"][0]["image"]})
    unlabelled = tmp_path / "datalist.json"
    unlabelled.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="need a teacher"):
        train_fold(tmp_path, {**config, "datalist": str(unlabelled)})


def test_overrides_come_last(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("max_steps: 3\nseed: 1\n")
    assert read_parameters(str(tmp_path / "a.yaml"), {"seed": 2}) == {"max_steps": 3, "seed": 2}
