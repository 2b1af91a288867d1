# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion

from monai_feat.visualize.outline import CLASS_COLOURS, draw_outlines, outline_clip

PICTURE = np.full((20, 24, 3), 7, np.uint8)


@pytest.mark.parametrize("thickness", [1, 2])
def test_an_outline_is_what_erosion_takes_away(thickness: int) -> None:
    classes = np.zeros((20, 24), np.uint8)
    classes[4:15, 3:20] = 1
    classes[8:11, 8:12] = 0
    drawn = draw_outlines(PICTURE, classes, thickness)
    border = (classes == 1) & ~binary_erosion(classes == 1, iterations=thickness)
    assert (drawn[border] == CLASS_COLOURS[0]).all()
    assert (drawn[~border] == 7).all()
    assert (PICTURE == 7).all()


def test_each_class_has_its_colour_and_unknown_none() -> None:
    classes = np.zeros((20, 24), np.uint8)
    classes[:, 8:16], classes[:, 16:] = 2, 255
    drawn = draw_outlines(PICTURE, classes)
    assert (drawn[:, [8, 15]] == CLASS_COLOURS[1]).all()
    assert (drawn[1:-1, 9:15] == 7).all()
    assert (drawn[:, 16:] == 7).all()


def test_other_sizes_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"one size, got \(20, 24, 3\) and \(4, 4\)"):
        draw_outlines(PICTURE, np.zeros((4, 4), np.uint8))


def test_masks_are_outlined_over_a_clip_each_in_its_colour() -> None:
    clip = torch.full((1, 2, 20, 24), 7, dtype=torch.uint8)
    one, two = torch.zeros_like(clip), torch.zeros_like(clip)
    one[:, 0, 4:15, 3:20], two[:, 1, :8, :8], two[:, 1, 12:, 12:] = 3, 1, 2
    drawn = outline_clip(clip, [one, two])
    inside = (one[0, 0] > 0).byte().numpy(), (two[0, 1] > 0).byte().numpy() * 2
    twins = [draw_outlines(PICTURE, classes) for classes in inside]
    for frame, twin in zip(drawn.permute(1, 2, 3, 0).numpy(), twins, strict=True):
        np.testing.assert_array_equal(frame, twin)


def test_small_clips_are_enlarged_so_that_outlines_are_fine() -> None:
    clip = torch.full((3, 1, 10, 12), 7, dtype=torch.uint8)
    mask = torch.zeros(1, 1, 10, 12, dtype=torch.uint8)
    mask[:, :, 2:5, 2:5] = 1
    drawn = outline_clip(clip, [mask], width=48)
    assert drawn.shape == (3, 1, 40, 48)
    assert int((drawn[2] == CLASS_COLOURS[0][2]).sum()) == 4 * 11  # the border of 12 × 12 pixels
    assert outline_clip(clip, [mask], width=5).shape == clip.shape
    with pytest.raises(ValueError, match=r"masks \(1, 1, 10, 12\)"):
        outline_clip(clip, [mask[..., :5]])
    with pytest.raises(ValueError, match="at most 6 masks"):
        outline_clip(clip, [mask] * 7)
