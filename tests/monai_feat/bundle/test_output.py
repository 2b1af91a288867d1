# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A training's folder is its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from monai_feat.bundle import claim_output_dir, epoch_of, find_checkpoint
from monai_feat.checkpoints import CheckpointError, save_checkpoint


def test_new_and_empty_folders_are_free(tmp_path: Path) -> None:
    claim_output_dir(tmp_path / "new")
    claim_output_dir(tmp_path)
    assert not (tmp_path / "new").exists()


def test_folder_of_another_training_is_refused_unless_resumed(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoints" / "checkpoint_epoch=2.pt"
    save_checkpoint({"network": {"weight": torch.ones(2)}, "trainer": {"epoch": 2}}, checkpoint)
    with pytest.raises(FileExistsError, match=r"--resume_from .*checkpoint_epoch=2\.pt"):
        claim_output_dir(tmp_path)
    claim_output_dir(tmp_path, resume_from=checkpoint)


def test_the_last_checkpoint_is_that_of_the_latest_epoch(tmp_path: Path) -> None:
    assert find_checkpoint("last", tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    for epoch in (10, 9, 2):
        (tmp_path / "checkpoints" / f"checkpoint_epoch={epoch}.pt").touch()
    assert find_checkpoint("last", tmp_path) == tmp_path / "checkpoints" / "checkpoint_epoch=10.pt"
    assert find_checkpoint("some.pt", tmp_path) == "some.pt"
    assert find_checkpoint(None, tmp_path) is None


def test_the_name_of_a_checkpoint_tells_its_epoch() -> None:
    names = [None, "model.pt", "runs/2/checkpoints/checkpoint_epoch=10.pt"]
    assert [epoch_of(name) for name in names] == [0, 0, 10]


def test_a_damaged_checkpoint_is_noticed_at_once(tmp_path: Path) -> None:
    (tmp_path / "half.pt").write_bytes(b"half")
    with pytest.raises(CheckpointError, match=r"half\.pt: truncated, damaged .*; fetch or save it again"):
        claim_output_dir(tmp_path / "run", tmp_path / "half.pt")
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        claim_output_dir(tmp_path / "run", tmp_path / "gone.pt")


def test_checkpoints_need_room_for_weights_average_and_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("monai_feat.bundle.output.check_folder", lambda _folder, room: asked.append(room))
    claim_output_dir(tmp_path, network=nn.Linear(10, 10, bias=False), checkpoints_kept=2)
    claim_output_dir(tmp_path)
    assert asked == [3 * 4 * 400, 0]
