# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.data import MetaTensor

from monai_feat.bundle import ClipReading, find_bundle
from monai_feat.transforms.video import DropFalseColour

READING: dict[str, Any] = {
    "modality": "ultrasound",
    "image_channels": 1,
    "num_frames": 16,
    "frame_size": [64, 48],
    "fit": "pad",
    "frame_rate": None,
    "preprocessing": {"_target_": "monai_feat.transforms.video.DropFalseColour"},
}


def write(folder: Path, content: Any) -> Path:
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_what_a_manifest_says_is_read_back(tmp_path: Path) -> None:
    reading = ClipReading.of_samples(write(tmp_path, {"reading": READING, "clips": {}}))
    assert reading is not None
    assert (reading.frame_size, reading.fit, reading.frame_rate) == ((64, 48), "pad", None)
    clip = MetaTensor(torch.randint(100, 104, (3, 2, 8, 8), dtype=torch.uint8))
    transform = reading.build_preprocessing()
    assert transform is not None
    assert torch.equal(torch.as_tensor(transform(clip)), torch.as_tensor(DropFalseColour()(clip)))


@pytest.mark.parametrize("content", [None, {}, {"reading": None}, []])
def test_other_folders_say_nothing(content: Any, tmp_path: Path) -> None:
    assert ClipReading.of_samples(tmp_path if content is None else write(tmp_path, content)) is None


@pytest.mark.parametrize("bundle", ["feat_endoscopy", "feat_ultrasound"])
def test_the_preprocessing_of_shipped_bundles_is_built(bundle: str) -> None:
    config = json.loads((find_bundle(bundle) / "configs" / "inference.json").read_text())["preprocessing"]
    assert ClipReading(**{**READING, "preprocessing": config}).build_preprocessing() is not None


@pytest.mark.parametrize(
    "preprocessing",
    [
        {"_target_": "os.system", "command": "true"},
        {"_target_": "monai.transforms.Compose", "transforms": [{"_target_": "subprocess.run"}]},
        {"_target_": "monai.transforms.Lambda", "func": "$print"},
    ],
)
def test_a_manifest_is_no_program(preprocessing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a manifest asks for"):
        ClipReading(**{**READING, "preprocessing": preprocessing}).build_preprocessing()


def test_a_damaged_one_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"manifest\.json: expected reading with modality"):
        ClipReading.of_samples(write(tmp_path, {"reading": {"colour": 1}}))
