# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from monai_feat.transforms.endoscopy.inset import find_insets


def frame(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(120, 2, (3, 2, 100, 140)).astype(np.float32)


@pytest.mark.parametrize("box", [(60, 0, 100, 50), (0, 100, 30, 140), (20, 30, 70, 90)])
def test_a_flat_rectangle_is_found_exactly(box: tuple[int, int, int, int]) -> None:
    levels = frame()
    levels[..., box[0] : box[2], box[1] : box[3]] = 0
    everywhere = np.ones((100, 140), dtype=bool)
    assert find_insets(levels, everywhere) == [(box, 1.0)]
    mirrored = find_insets(levels[..., ::-1], everywhere)
    assert mirrored == [((box[0], 140 - box[3], box[2], 140 - box[1]), 1.0)]


def test_a_rectangle_that_is_there_for_one_frame_is_none() -> None:
    levels = frame()
    levels[:, 0, 60:, :50] = 0
    assert find_insets(levels, np.ones((100, 140), dtype=bool)) == []


def test_nothing_is_expected_outside_the_field() -> None:
    levels, field = frame(), np.ones((100, 140), dtype=bool)
    field[:, :20] = False
    levels[..., :20] = 0
    assert find_insets(levels, field) == []
    levels[..., 60:, :50] = 0
    assert [box for box, _ in find_insets(levels, field)] == [(60, 0, 100, 50)]


def test_slivers_and_most_of_the_frame_are_no_insets() -> None:
    levels = frame()
    levels[..., 95:, :4] = 0
    assert find_insets(levels, np.ones((100, 140), dtype=bool)) == []
    levels[..., 4:, :130] = 0
    assert find_insets(levels, np.ones((100, 140), dtype=bool)) == []


def test_a_dithered_picture_has_no_insets() -> None:
    levels = frame()
    checks = np.indices((100, 140)).sum(0) % 2 * 40.0
    shade = np.linspace(0, 100, 140)
    levels[:] = np.round((shade + checks) / 40) * 40
    assert find_insets(levels, np.ones((100, 140), dtype=bool)) == []
