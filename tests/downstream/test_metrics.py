# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.distance import cdist
from torch import Tensor

from downstream.metric_table import METRICS
from downstream.metrics import score_clip


def box(top: int, left: int, size: int = 4, frames: int = 3, extent: int = 16) -> Tensor:
    mask = torch.zeros(1, frames, extent, extent, dtype=torch.uint8)
    mask[:, :, top : top + size, left : left + size] = 1
    return mask


def blobs(seed: int, frames: int = 4, extent: int = 20) -> Tensor:
    noise = np.random.default_rng(seed).normal(size=(frames, extent, extent))
    smooth = ndimage.gaussian_filter(noise, (0.5, 2, 2))
    return torch.from_numpy((smooth > 0.12).astype(np.uint8))[None]


def outline(mask: np.ndarray) -> np.ndarray:
    """Places of the pixels that touch the outside by an edge, slowly."""
    padded = np.pad(mask, 1)
    return np.array([
        (y, x) for y, x in np.argwhere(mask)
        if not (padded[y, x + 1] and padded[y + 2, x + 1] and padded[y + 1, x] and padded[y + 1, x + 2])
    ])  # fmt: skip


def slow_surfaces(
    truth: np.ndarray, predicted: np.ndarray, spacing: tuple[float, float], tolerance: float
) -> tuple[float, float]:
    ours, theirs = outline(truth) * np.array(spacing), outline(predicted) * np.array(spacing)
    between = cdist(ours, theirs)
    there, back = between.min(axis=1), between.min(axis=0)
    within = ((there <= tolerance).sum() + (back <= tolerance).sum()) / (len(there) + len(back))
    return float(within), float(max(np.percentile(there, 95), np.percentile(back, 95)))


@pytest.mark.parametrize("seed", range(4))
def test_scores_agree_with_slow_definitions(seed: int) -> None:
    truth, predicted = blobs(2 * seed), blobs(2 * seed + 1)
    spacing, tolerance = (0.5, 0.8), 1.0
    scores = score_clip(truth, predicted, spacing, tolerance)
    a, b = truth[0].numpy().astype(bool), predicted[0].numpy().astype(bool)
    assert a.any((1, 2)).all()
    assert b.any((1, 2)).all()
    assert scores["dice"] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()), abs=1e-6)
    slow = [slow_surfaces(x, y, spacing, tolerance) for x, y in zip(a, b, strict=True)]
    assert scores["surface_dice"] == pytest.approx(np.mean([pair[0] for pair in slow]), abs=1e-5)
    assert scores["hd95"] == pytest.approx(np.mean([pair[1] for pair in slow]), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_mask_gets_the_best_and_all_stay_in_range(seed: int) -> None:
    truth = blobs(seed)
    best = {name: float(metric.higher_is_better) for name, metric in METRICS.items()}
    assert score_clip(truth, truth) == pytest.approx(best)
    scores = score_clip(truth, blobs(seed + 10))
    assert list(scores) == list(METRICS)
    assert all(METRICS[name].low <= value <= METRICS[name].high for name, value in scores.items())


def test_what_is_missed_altogether_is_the_worst() -> None:
    truth = box(4, 4)
    scores = score_clip(truth, torch.zeros_like(truth), spacing=(3.0, 4.0))
    assert scores == {
        "dice": 0, "surface_dice": 0, "hd95": pytest.approx(16 * 5), "lesion_recall": 0, "false_positive_frames": 0,
        "temporal_consistency": 0,
    }  # fmt: skip


def test_a_frame_that_is_missed_counts_by_itself() -> None:
    truth = box(4, 4, frames=4)
    predicted = truth.clone()
    predicted[:, 1] = 0
    scores = score_clip(truth, predicted)
    assert scores["surface_dice"] == scores["lesion_recall"] == 0.75
    assert scores["hd95"] == pytest.approx(math.hypot(16, 16) / 4)
    assert scores["temporal_consistency"] == pytest.approx(1 / 3)  # the pairs around it have an overlap of 0 for 1


def test_a_shifted_box_is_off_by_its_shift() -> None:
    scores = score_clip(box(4, 4), box(4, 6), tolerance=2.0)
    assert (scores["dice"], scores["surface_dice"], scores["hd95"]) == pytest.approx((0.5, 1.0, 2.0))
    assert score_clip(box(4, 4), box(4, 6), tolerance=0.5)["surface_dice"] < 0.5


def test_clips_without_the_structure() -> None:
    empty, full = torch.zeros_like(box(0, 0)), box(0, 0)
    quiet, wrong = score_clip(empty, empty), score_clip(empty, full)
    assert (quiet["dice"], quiet["hd95"], quiet["false_positive_frames"]) == (1, 0, 0)
    assert (wrong["dice"], wrong["surface_dice"], wrong["false_positive_frames"]) == (0, 0, 1)
    assert wrong["hd95"] == pytest.approx(math.hypot(16, 16))
    assert wrong["lesion_recall"] == quiet["lesion_recall"] == 1  # there was none to find
    assert wrong["temporal_consistency"] == 0


def test_lesions_are_counted_one_by_one() -> None:
    truth = box(0, 0) | box(10, 10) | box(4, 4, size=2)  # the last touches the first by a corner: one lesion
    assert score_clip(truth, box(0, 0))["lesion_recall"] == 0.5
    assert score_clip(truth, box(0, 0) | box(10, 12))["lesion_recall"] == 1  # half of the other is enough
    assert score_clip(truth, box(0, 0) | box(10, 13))["lesion_recall"] == 0.5


def test_false_positives_are_counted_on_empty_frames_only() -> None:
    truth, predicted = box(4, 4, frames=5), box(4, 5, frames=5)
    truth[:, 2:] = 0
    predicted[:, 4] = 0
    assert score_clip(truth, predicted)["false_positive_frames"] == pytest.approx(2 / 3)


def test_a_frozen_mask_of_what_moves_is_not_consistent() -> None:
    moving = torch.cat([box(4, left, frames=1) for left in (2, 4, 6, 8)], dim=1)
    frozen = box(4, 5, frames=4)
    assert score_clip(moving, moving.roll(1, -2))["temporal_consistency"] == pytest.approx(1)
    assert score_clip(moving, frozen)["temporal_consistency"] == pytest.approx(1 / 3)  # 1 - (1 - 8/24)


def test_a_still_has_no_consistency() -> None:
    scores = score_clip(box(4, 4, frames=1), box(4, 5, frames=1))
    assert set(METRICS) - scores.keys() == {"temporal_consistency"}


def test_structures_are_averaged_and_unknown_pixels_count_nowhere() -> None:
    truth = box(2, 2) + 2 * box(10, 10)
    predicted = box(2, 2)
    assert score_clip(truth, predicted, num_classes=3)["dice"] == 0.5
    unknown = box(2, 2)
    unknown[..., 8:] = 255
    assert score_clip(unknown, box(2, 2) | box(10, 10))["dice"] == 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"predicted": torch.zeros(1, 2, 4, 4, dtype=torch.uint8)}, "of one shape"),
        ({"truth": torch.zeros(16, 16, dtype=torch.uint8)}, "of one shape"),
        ({"predicted": box(0, 0) * 3}, "classes 3"),
        ({"predicted": box(0, 0) * 255}, "for unlabelled pixels"),
        ({"spacing": (1.0, 0.0)}, "above 0"),
        ({"spacing": (1.0,)}, "height and the width"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"num_classes": 1}, "at least 2 classes"),
    ],
)
def test_what_cannot_be_scored_is_refused(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        score_clip(**{"truth": box(0, 0), "predicted": box(0, 0), **change})  # type: ignore[arg-type]


def test_probabilities_are_refused() -> None:
    with pytest.raises(TypeError, match=r"torch.float32 \(predicted\)"):
        score_clip(box(0, 0), box(0, 0).float())
