# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.checkpoints import CheckpointError, conditions_metadata, read_conditions, save_checkpoint
from monai_feat.conditions import ClassCondition, Condition, FirstFramesCondition, MaskCondition, ScalarCondition

STATE = {"weight": torch.zeros(1)}
ALL: list[Condition] = [
    ClassCondition("view", 3),
    ScalarCondition("fraction", 0.2, 0.8),
    FirstFramesCondition(max_frames=2),
    MaskCondition("mask", 4),
]


@pytest.mark.parametrize("conditions", [[], ALL[:1], ALL])
def test_conditions_come_back(tmp_path: Path, conditions: list[Condition]) -> None:
    path = save_checkpoint(STATE, tmp_path / "feat.safetensors", conditions_metadata(conditions))
    assert read_conditions(path) == conditions


def test_an_unconditional_network_leaves_no_trace(tmp_path: Path) -> None:
    assert conditions_metadata([]) == {}
    with_none, plain = (
        save_checkpoint(STATE, tmp_path / f"{name}.safetensors", metadata)
        for name, metadata in (("a", conditions_metadata([])), ("b", None))
    )
    assert with_none.read_bytes() == plain.read_bytes()


def test_files_without_a_header_have_none(tmp_path: Path) -> None:
    assert read_conditions(save_checkpoint(STATE, tmp_path / "a.pt")) == []
    assert read_conditions(tmp_path / "absent.safetensors") == []


@pytest.mark.parametrize("text", ["{", '[{"kind": "TextCondition"}]', '[{"kind": "ClassCondition", "age": 3}]', "[3]"])
def test_unknown_conditions_are_an_error(tmp_path: Path, text: str) -> None:
    path = save_checkpoint(STATE, tmp_path / "feat.safetensors", {"conditions": text})
    with pytest.raises(CheckpointError, match="cannot tell what its network was trained to be asked for"):
        read_conditions(path)


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "feat.safetensors").write_bytes(b"no header")
    with pytest.raises(CheckpointError):
        read_conditions(tmp_path / "feat.safetensors")
