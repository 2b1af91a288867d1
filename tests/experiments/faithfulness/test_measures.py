# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from experiments.faithfulness.measures import (
    ejection_fractions,
    fraction_classes,
    mask_iou,
    number_scores,
    polyps_present,
    share_of_hits,
    start_psnr,
)
from monai_feat.data import endoscopy_phantom, ultrasound_phantom


@pytest.mark.parametrize("size", [64, 160])
def test_ejection_fraction_of_true_masks_is_the_true_one(size: int) -> None:
    """Over a whole beat; at 64 pixels the outline costs some accuracy."""
    clips = [ultrasound_phantom(seed, size, num_frames=36, frame_rate=32) for seed in range(6)]
    truth = torch.tensor([clip.attributes["ejection_fraction"] for clip in clips])
    found = ejection_fractions(torch.stack([clip.mask for clip in clips]))
    torch.testing.assert_close(found, truth, atol=0.04 if size == 64 else 0.02, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.3])
def test_turning_an_ellipse_does_not_matter(angle: float) -> None:
    """Half the short axis is a quarter of the volume, half the long axis is half."""
    y, x = torch.meshgrid(torch.arange(128.0) - 64, torch.arange(128.0) - 64, indexing="ij")
    along, across = math.cos(angle) * y + math.sin(angle) * x, math.cos(angle) * x - math.sin(angle) * y

    def ellipse(length: float, width: float) -> torch.Tensor:
        return (along / length) ** 2 + (across / width) ** 2 < 1

    narrow = torch.stack((ellipse(50, 30), ellipse(50, 15)))
    short = torch.stack((ellipse(50, 20), ellipse(25, 20)))
    found = ejection_fractions(torch.stack((narrow, short))[:, None])
    torch.testing.assert_close(found, torch.tensor([0.75, 0.5]), atol=0.03, rtol=0)


def test_frames_without_a_ventricle_do_not_count() -> None:
    masks = torch.zeros(2, 1, 3, 32, 32)
    masks[0, :, 0, 4:28, 8:24] = masks[0, :, 2, 4:28, 8:24] = masks[1, :, 1, 4:28, 8:24] = 1
    found = ejection_fractions(masks)
    assert found[0] == 0
    assert found[1].isnan()


def test_classes_of_fractions_are_those_of_the_phantoms() -> None:
    assert fraction_classes(torch.tensor([0.39, 0.4, 0.5, 0.51, torch.nan])).tolist() == [0, 1, 1, 2, -1]


def test_polyps_are_where_they_are() -> None:
    clips = [endoscopy_phantom(seed, 64, 8, polyp_probability=share) for seed in range(8) for share in (0, 1)]
    found = polyps_present(torch.stack([clip.mask for clip in clips]))
    assert not found[::2].any()
    assert found[1::2].mean() > 0.6  # a fold may hide it


def test_scores_of_numbers() -> None:
    scores = number_scores(torch.tensor([1.0, 2.0, 3.0, 9.0]), torch.tensor([2.0, 2.0, 4.0, torch.nan]))
    assert scores["mean absolute error"] == pytest.approx(2 / 3)
    assert scores["bias"] == pytest.approx(2 / 3)
    assert scores["correlation"] == pytest.approx(math.sqrt(3) / 2)
    assert scores["slope"] == pytest.approx(1)
    assert scores["clips without a measure"] == 1


def test_scores_of_classes_masks_and_frames() -> None:
    assert share_of_hits(torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 2, -1])) == {"accuracy": 0.75}
    masks = torch.zeros(2, 1, 1, 4, 4)
    masks[0, ..., :2, :] = 1
    assert mask_iou(masks, masks)["IoU"] == 1
    assert mask_iou(masks, masks.roll(1, -2))["IoU"] == pytest.approx((1 / 3 + 1) / 2)
    clips = torch.zeros(1, 1, 3, 8, 8, dtype=torch.uint8)
    clips[:, :, 2] = 200
    (ratio,) = start_psnr(torch.full((1, 1, 2, 8, 8), 10, dtype=torch.uint8), clips).values()
    assert ratio == pytest.approx(20 * math.log10(25.5))
