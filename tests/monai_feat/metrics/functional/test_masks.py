# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from monai_feat.metrics.functional.masks import mask_temporal_iou


def squares(*columns: int | None) -> Tensor:
    """A clip with a 4 x 4 square at a column in each frame, or none."""
    masks = torch.zeros(1, 1, len(columns), 8, 16, dtype=torch.uint8)
    for t, column in enumerate(columns):
        if column is not None:
            masks[..., t, 2:6, column : column + 4] = 1
    return masks


def test_it_is_the_mean_over_pairs() -> None:
    masks = torch.rand(3, 1, 4, 8, 8) < 0.5
    expected = [sum(float((a & b).sum() / (a | b).sum()) for a, b in pairwise(clip)) / 3 for clip in masks[:, 0]]
    torch.testing.assert_close(mask_temporal_iou(masks), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ((0, 0, 0), 1.0),
        ((0, 2), 1 / 3),
        ((0, 8), 0.0),
        ((0, None), 0.0),
        ((None, 0, 0), 0.5),
        ((None, None, 0, 0), 0.5),
        ((0, 0, None, None), 0.5),
    ],
)
def test_known_overlaps_and_missing_structures(columns: tuple[int | None, ...], expected: float) -> None:
    assert mask_temporal_iou(squares(*columns)).item() == pytest.approx(expected)


def test_a_clip_without_a_structure_has_no_value() -> None:
    values = mask_temporal_iou(torch.cat([squares(None, None), squares(1, 1)]))
    assert values.isnan().tolist() == [True, False]


def test_any_kind_of_truth_will_do() -> None:
    masks = squares(0, 2, 3)
    for other in (masks.bool(), masks.long(), 255 * masks):
        assert torch.equal(mask_temporal_iou(other), mask_temporal_iou(masks))


@pytest.mark.parametrize(
    ("masks", "error"),
    [
        (torch.zeros(1, 1, 2, 4, 4), TypeError),
        (torch.zeros(1, 2, 2, 4, 4, dtype=torch.bool), ValueError),
        (torch.zeros(1, 1, 1, 4, 4, dtype=torch.bool), ValueError),
        (torch.zeros(1, 2, 4, 4, dtype=torch.bool), ValueError),
    ],
)
def test_other_masks_are_refused(masks: Tensor, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"expected .*masks"):
        mask_temporal_iou(masks)
