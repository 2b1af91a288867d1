# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.checkpoints import CheckpointError, prediction_metadata, read_prediction_type, save_checkpoint

STATE = {"weight": torch.zeros(1)}


@pytest.mark.parametrize("prediction_type", ["epsilon", "flow_velocity"])
def test_it_comes_back_beside_other_metadata(tmp_path: Path, prediction_type: str) -> None:
    metadata = {"conditions": "[]", **prediction_metadata(prediction_type)}
    path = save_checkpoint(STATE, tmp_path / "feat.safetensors", metadata)
    assert read_prediction_type(path, "v_prediction") == prediction_type


def test_files_that_do_not_say_are_as_usual(tmp_path: Path) -> None:
    for path in (save_checkpoint(STATE, tmp_path / name) for name in ("a.pt", "b.safetensors")):
        assert read_prediction_type(path, "v_prediction") == "v_prediction"
    assert read_prediction_type(tmp_path / "absent.safetensors", "epsilon") == "epsilon"


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "feat.safetensors").write_bytes(b"no header")
    with pytest.raises(CheckpointError):
        read_prediction_type(tmp_path / "feat.safetensors", "epsilon")
