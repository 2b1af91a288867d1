# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.data import PhantomDataset, SingleFrames, open_frames


def test_frames_are_those_of_the_clips_in_their_order() -> None:
    clips = PhantomDataset("ultrasound", length=2, size=32, num_frames=3)
    frames = open_frames([{"image": "a"}], lambda _data: clips)
    assert len(frames) == 6
    for clip in range(2):
        together = torch.cat([frames[3 * clip + t]["image"] for t in range(3)], dim=1)
        assert torch.equal(together, clips[clip]["image"])
    assert frames[4]["frame_rate"] == clips[1]["frame_rate"]


def test_labels_follow_and_numbers_stay() -> None:
    clip = {"image": torch.rand(3, 2, 4, 4), "label": torch.arange(32).reshape(1, 2, 4, 4), "weights": torch.ones(2, 2)}
    frame = SingleFrames([clip])[1]  # type: ignore[arg-type]
    assert torch.equal(frame["label"], clip["label"][:, 1:])
    assert torch.equal(frame["weights"], clip["weights"])
    with pytest.raises(IndexError):
        SingleFrames([clip])[2]  # type: ignore[arg-type]
