# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from monai_feat.data import endoscopy_phantom
from monai_feat.transforms import video
from monai_feat.transforms.video import array


def item(frames: int = 12) -> dict[str, object]:
    phantom = endoscopy_phantom(2, 32, frames, frame_rate=20.0)
    image = MetaTensor(phantom.image, meta={"frame_rate": 20.0})
    return {"image": image, "label": MetaTensor(phantom.mask, meta={"frame_rate": 20.0}), "frame_rate": 20.0}


def test_a_pipeline_keeps_image_and_label_together_and_replays() -> None:
    pipeline = Compose(
        [
            video.RandSampleFramesd(["image", "label"], {"num_frames": 4, "stride": 2}),
            video.ResizeClipd("image", 16),
            video.ResizeLabelsd("label", 16),
            video.ToUnitRanged("image"),
        ]
    )
    pipeline.set_random_state(seed=3)
    first = pipeline(item())
    pipeline.set_random_state(seed=3)
    again = pipeline(item())
    assert torch.equal(first["image"], again["image"])
    assert first["image"].shape == (3, 4, 16, 16)
    assert first["frame_rate"] == first["image"].meta["frame_rate"] == first["label"].meta["frame_rate"] == 10.0
    assert torch.equal(first["image"].affine, first["label"].affine)
    assert first["image"].min() >= -1


@pytest.mark.parametrize(
    ("twin", "arguments", "single"),
    [
        ("SampleFramesd", {"sampling": {"num_frames": 3}}, "SampleFrames"),
        ("ResampleFrameRated", {"frame_rate": 5.0}, "ResampleFrameRate"),
        ("ResizeClipd", {"size": 8}, "ResizeClip"),
        ("ToUnitRanged", {}, "ToUnitRange"),
        ("DropFalseColourd", {}, "DropFalseColour"),
    ],
)
def test_twins_do_what_the_array_transforms_do(twin: str, arguments: dict[str, object], single: str) -> None:
    before = item()
    after = getattr(video, twin)(["image"], **arguments)(before)
    expected = getattr(array, single)(**arguments)(before["image"])
    assert torch.equal(after["image"], expected)
    assert after["image"].meta["frame_rate"] == after["frame_rate"]
    assert after["label"] is before["label"]
    assert getattr(video, twin[:-1] + "D") is getattr(video, twin[:-1] + "Dict") is getattr(video, twin)


def test_the_items_rate_serves_clips_without_metadata() -> None:
    plain = {"image": torch.zeros(1, 10, 2, 2), "frame_rate": 10.0}
    sampled = video.SampleFramesd("image", {"num_frames": 2, "frame_rate": 5.0})(plain)
    assert sampled["image"].shape[1] == 2
    assert sampled["frame_rate"] == 5.0


def test_unit_range_and_back() -> None:
    before = item(2)
    after = video.ToUint8d("image")(video.ToUnitRanged("image")(before))
    assert torch.equal(after["image"], before["image"])


def test_each_key_has_its_time_filter() -> None:
    resampled = video.ResampleFrameRated(["image", "label"], 10.0, ["area", "nearest"])(item())
    assert set(resampled["label"].unique().tolist()) <= {0, 1}
    with pytest.raises(KeyError, match="missing"):
        video.ResizeClipd("missing", 8)(item(1))
