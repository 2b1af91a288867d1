# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The labelled demo: what its numbers mean, and what it leaves behind."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from experiments import labelled_demo
from experiments.labelled_demo import Budget, agree, clip_dice, read_samples, segment, train_segmenter


class Bright(nn.Module):
    """Segments what is brighter than 0."""

    def forward(self, frames: Tensor) -> Tensor:
        return torch.cat([-frames, frames], 1)


def boxes(*columns: int, frames: int = 3) -> Tensor:
    """Masks of clips that are filled up to a column, which moves by one from frame to frame; 0 stays empty."""
    masks = torch.zeros(len(columns), 1, frames, 16, 16, dtype=torch.uint8)
    for clip, column in enumerate(columns):
        for t in range(frames):
            masks[clip, :, t, :, : column + t if column else 0] = 1
    return masks


def test_dice_by_hand() -> None:
    """Columns 4, 5, 6 and 8, 9, 10 of 16 rows: 2 · 15 / (15 + 27)."""
    dice = clip_dice(boxes(4, 4, 4, 0), boxes(8, 4, 0, 0))
    assert dice[:3].tolist() == pytest.approx([2 * 15 / 42, 1, 0])
    assert math.isnan(dice[3])


def test_agreement_of_masks_that_fit() -> None:
    masks = boxes(4, 8, 0)
    found = agree(2.0 * masks - 1, masks, Bright())
    assert (found.dice, found.worst_dice, found.scored, found.both_empty) == (1, 1, 2, 1)
    assert found.shuffled_dice < 0.6
    assert found.temporal_iou == pytest.approx((4 / 5 + 5 / 6 + 8 / 9 + 9 / 10) / 4)


def test_the_segmenter_learns() -> None:
    segmenter = train_segmenter("ultrasound", 32, steps=40)
    images, labels = labelled_demo.real_clips("ultrasound", 4, 2, 32)
    assert clip_dice(segment(segmenter, images), labels).mean() > 0.5


def test_it_leaves_clips_masks_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(labelled_demo, "Budget", lambda: Budget(2, 0.5, 0.5, 16, 2, 2))
    assert labelled_demo.main(["--modality", "ultrasound", "--out", str(tmp_path)]) == 0
    images, labels = read_samples(tmp_path / "samples")
    assert (images.shape, labels.shape) == ((2, 1, 16, 64, 64), (2, 1, 16, 64, 64))
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["real"]) == set(report["sampled"])
    assert 0 <= report["real"]["dice"] <= 1
    with Image.open(tmp_path / "masks.png") as sheet:
        assert min(sheet.size) > 500
    printed = capsys.readouterr().out
    assert "--label_channels 2" in printed
    assert "IoU in time" in printed
