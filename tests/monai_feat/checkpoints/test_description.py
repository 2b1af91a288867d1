# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from monai_feat.checkpoints import (
    CheckpointError,
    ClipFormat,
    Description,
    Diffusion,
    read_description,
    read_metadata,
    save_checkpoint,
)

STATE = {"weight": torch.zeros(1)}
CLIPS = ClipFormat(
    "ultrasound", image_channels=1, num_frames=16, frame_size=(64, 96), frame_rate=12.5, label_channels=2
)
DIFFUSION = Diffusion("v_prediction", "multistep", num_sampling_steps=10)


@pytest.mark.parametrize(
    "description",
    [
        Description("FEAT", {"hidden_size": 96, "conditions": []}, CLIPS, DIFFUSION),
        Description("FEAT", {}, CLIPS, Diffusion("flow_velocity", "rectified_flow", 8)),
        Description("ClipSegmenter", {"context": "clip"}, CLIPS),
        Description("FrameAutoencoder"),
    ],
)
def test_weights_and_checkpoints_say_what_was_written(tmp_path: Path, description: Description) -> None:
    metadata = description.to_metadata()
    weights = save_checkpoint(STATE, tmp_path / "weights.safetensors", metadata)
    checkpoint = save_checkpoint({"network": STATE, "metadata": metadata}, tmp_path / "checkpoint.pt")
    assert read_description(weights) == read_description(checkpoint) == description


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    path = save_checkpoint(
        STATE, tmp_path / "a.safetensors", Description("FEAT", {"a": 1}, CLIPS, DIFFUSION).to_metadata()
    )
    config = json.loads(read_metadata(path)["config"])
    assert config["network"] == "FEAT"
    assert config["arguments"] == {"a": 1}
    assert config["clips"]["frame_size"] == [64, 96]
    assert config["diffusion"]["noise_schedule"] == {"schedule": "linear_beta", "beta_start": 1e-4, "beta_end": 2e-2}


def test_others_files_say_nothing(tmp_path: Path) -> None:
    assert read_description(save_checkpoint(STATE, tmp_path / "a.safetensors", {"format": "pt"})) is None
    assert read_description(save_checkpoint(STATE, tmp_path / "a.pt")) is None


def test_one_number_is_a_square() -> None:
    assert ClipFormat("endoscopy", 3, 1, 64).frame_size == (64, 64)  # type: ignore[arg-type]


def test_the_noise_schedule_is_written_out_where_there_is_one() -> None:
    assert DIFFUSION.noise_schedule == {"schedule": "linear_beta", "beta_start": 1e-4, "beta_end": 2e-2}
    assert Diffusion("flow_velocity", "rectified_flow", 8).noise_schedule is None
    assert Diffusion("epsilon", "ddpm", 8, noise_schedule={"schedule": "cosine"}).noise_schedule == {
        "schedule": "cosine"
    }


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"arguments": {}}', '{"network": "FEAT", "arguments": 3}', '{"network": "FEAT", "colour": 1}',
     '{"network": "FEAT", "clips": {"modality": "x"}}'],
)  # fmt: skip
def test_what_is_no_description_is_an_error(tmp_path: Path, text: str) -> None:
    path = save_checkpoint(STATE, tmp_path / "feat.safetensors", {"config": text})
    with pytest.raises(CheckpointError, match=rf"{path}: cannot tell what its weights are .* newer version"):
        read_description(path)
