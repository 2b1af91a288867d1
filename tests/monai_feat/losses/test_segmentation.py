# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from monai_feat.losses import ClipSegmentationLoss, consistency_ramp


def reference(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Dice of each foreground class over the whole batch, and cross-entropy, written out."""
    chance = logits.softmax(1)
    terms = []
    for k in range(1, logits.shape[1]):
        truth = (label[:, 0] == k).float()
        terms.append(1 - (2 * (chance[:, k] * truth).sum() + 1e-5) / (chance[:, k].sum() + truth.sum() + 1e-5))
    return torch.stack(terms).mean() + F.cross_entropy(logits, label[:, 0].long())


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(4, 3, 2, 8, 8)


@pytest.fixture
def label() -> torch.Tensor:
    return torch.randint(0, 3, (4, 1, 2, 8, 8), dtype=torch.uint8)


def test_it_is_dice_and_cross_entropy(logits: torch.Tensor, label: torch.Tensor) -> None:
    torch.testing.assert_close(ClipSegmentationLoss()(logits, label), reference(logits, label))


def test_coarser_levels_count_half(logits: torch.Tensor, label: torch.Tensor) -> None:
    coarse = torch.randn_like(logits)
    expected = reference(logits, label) + 0.5 * reference(coarse, label)
    torch.testing.assert_close(ClipSegmentationLoss()([logits, coarse], label), expected)


def test_consistency_is_the_mean_square_of_the_last_clips(logits: torch.Tensor, label: torch.Tensor) -> None:
    teacher = torch.randn(1, 3, 2, 8, 8).softmax(1)
    target = {"label": label[:3], "teacher": teacher, "ramp": torch.tensor([0.5, 0.25])}
    expected = reference(logits[:3], label[:3]) + 2 * 0.375 * (logits[3:].softmax(1) - teacher).square().mean()
    torch.testing.assert_close(ClipSegmentationLoss(consistency_weight=2)(logits, target), expected)


def test_a_teacher_that_agrees_costs_nothing(logits: torch.Tensor, label: torch.Tensor) -> None:
    target = {"label": label[:3], "teacher": logits[3:].softmax(1), "ramp": torch.ones(3)}
    torch.testing.assert_close(ClipSegmentationLoss()(logits, target), reference(logits[:3], label[:3]))


def test_the_ramp_ends_at_one() -> None:
    assert consistency_ramp(0) == pytest.approx(math.exp(-5))
    assert consistency_ramp(0.2, length=0.4) == pytest.approx(math.exp(-1.25))
    assert consistency_ramp(0.4) == consistency_ramp(1.0) == 1


def test_classes_beyond_the_logits_are_an_error(logits: torch.Tensor, label: torch.Tensor) -> None:
    with pytest.raises(RuntimeError):
        ClipSegmentationLoss()(logits, label + 3)
