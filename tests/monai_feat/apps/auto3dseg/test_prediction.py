# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from monai_feat.apps.auto3dseg import SegmentationSettings, predict_masks, predict_probabilities
from monai_feat.apps.auto3dseg import prediction as module
from monai_feat.data import VideoReadError, write_mp4

SETTINGS = SegmentationSettings(frame_size=32)


class Bright(nn.Module):
    """Takes what is bright for the structure."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(20.0))

    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return torch.cat([-self.scale * clip, self.scale * clip], dim=1)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Wide frames, black but for a box that moves."""
    frames = torch.zeros(3, 5, 48, 96, dtype=torch.uint8)
    for t in range(5):
        frames[:, t, 12:30, 9 + 6 * t : 36 + 6 * t] = 255
    write_mp4(frames, tmp_path / "clip.mp4", 8.0)
    return tmp_path / "clip.mp4"


def test_masks_lie_where_the_clip_shows_it(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_segmenter", lambda path: (Bright(), SETTINGS))
    ((item, mask),) = predict_masks("weights", [{"image": clip, "patient": 3}])
    assert item["patient"] == 3
    assert (mask.shape, mask.dtype) == ((1, 5, 48, 96), torch.uint8)
    for t in range(5):
        rows, columns = mask[0, t].nonzero().unbind(1)
        for found, wanted in zip(
            (rows.min(), rows.max(), columns.min(), columns.max()), (12, 29, 9 + 6 * t, 35 + 6 * t), strict=True
        ):
            assert abs(int(found) - wanted) <= 2


def test_probabilities_agree_with_the_mask(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_segmenter", lambda path: (Bright(), SETTINGS))
    ((_, mask),) = predict_masks("weights", [{"image": clip}])
    chance: Any = predict_probabilities(Bright(), SETTINGS, clip)  # type: ignore[arg-type]
    assert chance.meta["frame_rate"] == 8
    torch.testing.assert_close(chance.as_tensor().sum(0), torch.ones(5, 48, 96))
    torch.testing.assert_close(chance.as_tensor().argmax(0)[None].byte(), mask)


def test_an_unreadable_clip_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_segmenter", lambda path: (Bright(), SETTINGS))
    with pytest.raises(VideoReadError, match=r"nothing\.mp4"):
        list(predict_masks("weights", [{"image": tmp_path / "nothing.mp4"}]))
