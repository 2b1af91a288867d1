# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch

from monai_feat.apps.auto3dseg import SegmentationSettings
from monai_feat.apps.auto3dseg.sampling import TrainingSamples
from monai_feat.data import SegmentationClips

SETTINGS = SegmentationSettings(frame_size=32, num_frames=2, max_steps=5, batch_size=4, augmentation="none")


@pytest.fixture
def clips(items: list[dict[str, Any]]) -> SegmentationClips:
    return SegmentationClips(items, size=32, channels=1)


def test_every_clip_comes_as_often_as_any_other(clips: SegmentationClips) -> None:
    whole = [clips[i]["image"] for i in range(len(clips))]
    samples = TrainingSamples(clips, None, SETTINGS)
    assert len(samples) == 20

    def origin(image: torch.Tensor) -> int:
        (found,) = (
            i for i, clip in enumerate(whole) if any(torch.allclose(clip[:, t : t + 2], image) for t in range(7))
        )
        return found

    assert set(Counter(origin(samples[k]["image"]) for k in range(20)).values()) == {5}


def test_a_sample_depends_on_its_number_alone(clips: SegmentationClips) -> None:
    settings = replace(SETTINGS, augmentation="strong")
    whole, rest = TrainingSamples(clips, None, settings), TrainingSamples(clips, None, settings, first_step=3)
    assert len(rest) == 8
    for key in ("image", "label"):
        torch.testing.assert_close(rest[1][key], whole[13][key], rtol=0, atol=0)
    other = TrainingSamples(clips, None, replace(settings, seed=1))
    assert not torch.equal(other[13]["image"], whole[13]["image"])


def test_both_views_of_a_clip_without_mask_have_one_geometry(clips: SegmentationClips) -> None:
    unlabelled = SegmentationClips([{"image": item.clip.path} for item in clips._pairs], 32, 1, num_classes=0)
    with_masks, both = TrainingSamples(clips, None, SETTINGS), TrainingSamples(clips, unlabelled, SETTINGS)
    weak, strong = both[19]["unlabelled"], both[19]["unlabelled_strong"]
    assert not torch.equal(weak, strong)
    assert torch.corrcoef(torch.stack([weak.flatten(), strong.flatten()]))[0, 1] > 0.5
    torch.testing.assert_close(both[19]["image"], with_masks[19]["image"], rtol=0, atol=0)
    assert both[0]["ramp"] < both[19]["ramp"] == 1


def test_no_more_samples_than_steps(clips: SegmentationClips) -> None:
    with pytest.raises(IndexError):
        TrainingSamples(clips, None, SETTINGS)[20]
