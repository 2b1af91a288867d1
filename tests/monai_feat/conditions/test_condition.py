# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from monai_feat.conditions import (
    ClassCondition,
    Condition,
    FirstFramesCondition,
    MaskCondition,
    ScalarCondition,
    describe_conditions,
)

LATENTS = (2, 4, 5, 4, 6)
VIEW, FRACTION = ClassCondition("view", 3), ScalarCondition("fraction", 0.25, 0.7)
FRAMES, LABEL = FirstFramesCondition(max_frames=3), MaskCondition(num_labels=2)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        (VIEW, torch.tensor([0, -1])),
        (VIEW, torch.tensor([2.0, 1.0])),
        (FRACTION, torch.tensor([0.25, 0.7])),
        (FRACTION, torch.tensor([-1.0, 0.7], dtype=torch.float64)),
        (FRACTION, torch.tensor([0.25, 0.7], dtype=torch.float16).float()),
        (FRAMES, torch.randn(2, 4, 3, 4, 6)),
        (FRAMES, torch.randn(2, 4, 1, 4, 6)),
        (LABEL, torch.randint(-1, 2, (2, 1, 5, 32, 48))),
        (LABEL, torch.ones(2, 1, 5, 4, 6, dtype=torch.uint8)),
    ],
)
def test_values_in_bounds_pass(condition: Condition, values: Tensor) -> None:
    if values.dtype == torch.float32 and condition is FRACTION:
        values = values.clamp(0.25, 0.7)
    condition.check(values)
    condition.check_shape(values, LATENTS)


@pytest.mark.parametrize(
    ("condition", "values", "message"),
    [
        (VIEW, torch.tensor([0, 3]), "view: 3 was asked for; it takes a class from 0 to 2, or -1 for none"),
        (VIEW, torch.tensor([0.5, 0]), "view: 0.5 was asked for"),
        (VIEW, torch.tensor([-2, 0]), "view: -2 was asked for"),
        (FRACTION, torch.tensor([0.3, 0.71]), "fraction: 0.71 was asked for; it takes a number from 0.25 to 0.7, or"),
        (FRACTION, torch.tensor([0.3, torch.nan]), "fraction: nan was asked for"),
        (FRAMES, torch.full((2, 4, 1, 4, 6), torch.inf), "first_frames: inf was asked for"),
        (LABEL, torch.full((2, 1, 5, 4, 6), 255), "label: 255 was asked for; it takes masks with labels from 0 to 1"),
    ],
)
def test_values_out_of_bounds_are_named(condition: Condition, values: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        condition.check(values)


@pytest.mark.parametrize(
    ("condition", "shape", "message"),
    [
        (VIEW, (3,), r"view: got values \(3,\) for 2 clips; it takes one number for each: a class from 0 to 2"),
        (FRACTION, (2, 1), r"fraction: got values \(2, 1\) for 2 clips"),
        (FRAMES, (2, 4, 1, 8, 6), r"got \(2, 4, 1, 8, 6\); .* 1 to 3 frames of .* own size, at most \(2, 4, 3, 4, 6\)"),
        (FRAMES, (2, 4, 4, 4, 6), "first_frames: got"),
        (FRAMES, (2, 4, 0, 4, 6), "first_frames: got"),
        (FRAMES, (4, 1, 4, 6), "first_frames: got"),
        (FirstFramesCondition(max_frames=9), (2, 4, 6, 4, 6), "latents of 1 to 5 frames"),
        (LABEL, (2, 1, 5, 7, 6), r"label: got masks \(2, 1, 5, 7, 6\); it takes \(2, 1, 5\) and .* multiple of .* 4×6"),
        (LABEL, (2, 1, 4, 4, 6), "label: got masks"),
        (LABEL, (2, 1, 5, 2, 3), "label: got masks"),
        (LABEL, (2, 1), "label: got masks"),
    ],
)
def test_other_shapes_are_named(condition: Condition, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        condition.check_shape(torch.zeros(shape), LATENTS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClassCondition("view", 0), "view: num_classes must be at least 1, got 0"),
        (lambda: ScalarCondition("depth", -5, 5), "depth: expected 0 <= minimum < maximum, got -5 and 5; -1 is none"),
        (lambda: ScalarCondition("depth", 5, 5), "depth: expected"),
        (lambda: ScalarCondition("depth", 5, float("inf")), "depth: expected"),
        (lambda: FirstFramesCondition(max_frames=0), "max_frames must be at least 1, got 0"),
        (lambda: MaskCondition(num_labels=1), "num_labels must be at least 2, got 1"),
    ],
)
def test_impossible_bounds_are_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_conditions_are_described_for_messages() -> None:
    assert describe_conditions([VIEW, FRACTION, FRAMES]) == (
        "view (a class from 0 to 2), fraction (a number from 0.25 to 0.7), first_frames (1 to 3 frames)"
    )
    assert describe_conditions([]) == "nothing"
