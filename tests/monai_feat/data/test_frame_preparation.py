# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import Flip, SpatialCrop

from monai_feat.data import frame_preparation
from monai_feat.data.clip_masks import MaskFile
from monai_feat.data.frame_preparation import FramePreparation
from monai_feat.data.readers.load import open_clip
from monai_feat.transforms.functional import resize_clip
from monai_feat.transforms.labels import UNKNOWN_LABEL


def saved(folder: Path, classes: bool = False) -> Path:
    path = folder / ("mask.npy" if classes else "clip.npy")
    pixels = np.random.default_rng(classes).integers(0, 2 if classes else 255, (5, 16, 16), np.uint8)
    np.save(path, np.kron(pixels[:, :4, :4], np.ones((1, 4, 4), np.uint8)) if classes else pixels)
    return path


def test_frames_are_resized_and_classes_are_one_channel_more(tmp_path: Path) -> None:
    clip = open_clip(saved(tmp_path))
    mask = MaskFile(saved(tmp_path, classes=True), clip, 2)
    prepared = FramePreparation((8, 8), 3, label_channels=2).prepare(clip, mask, [1, 4])
    assert prepared.shape == (4, 2, 8, 8)
    for place, number in enumerate([1, 4]):
        (frame,), (classes,) = clip.iter_frames([number]), mask.iter_frames([number])
        assert torch.equal(prepared[:3, place], resize_clip(frame, (8, 8)).expand(3, -1, -1))
        assert torch.equal(prepared[3, place], classes[0, ::2, ::2])  # blocks of 4 become blocks of 2
    without = FramePreparation((8, 8), 1, label_channels=2).prepare(clip, None, [0])
    assert set(without[1].unique().tolist()) == {UNKNOWN_LABEL}


def test_a_crop_takes_masks_along(tmp_path: Path) -> None:
    clip = open_clip(saved(tmp_path))
    mask = MaskFile(saved(tmp_path, classes=True), clip, 2)
    crop = SpatialCrop(roi_start=(0, 0, 8), roi_end=(1, 8, 16))
    (frame,), (classes,) = clip.iter_frames([3]), mask.iter_frames([3])
    prepared = FramePreparation((8, 8), 1, label_channels=2, preprocessing=crop).prepare(clip, mask, [3])
    assert torch.equal(prepared[0, 0], frame[0, :8, 8:])
    assert torch.equal(prepared[1, 0], classes[0, :8, 8:])
    flip = FramePreparation((8, 8), 1, label_channels=2, preprocessing=Flip(spatial_axis=2))
    with pytest.raises(ValueError, match="crop"):
        flip.prepare(clip, mask, [0])


def test_parts_fit_into_memory_and_cover_all_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = torch.arange(12).reshape(6, 2)
    assert list(FramePreparation((8, 8), 3).parts(windows, (100, 100))) == [slice(None)]
    monkeypatch.setattr(frame_preparation, "_MOST_AT_ONCE", 3 * 100 * 100 * 4)  # four frames
    parts = list(FramePreparation((8, 8), 3, preprocessing=lambda clip: clip).parts(windows, (100, 100)))
    assert parts == [slice(0, 2), slice(2, 4), slice(4, 6)]
