# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from skimage.morphology import convex_hull_image

from monai_feat.transforms.endoscopy.hull import convex_hull


@pytest.mark.parametrize("seed", range(20))
def test_is_that_of_scikit_image(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mask = np.zeros((int(generator.integers(5, 60)), int(generator.integers(5, 60))), dtype=bool)
    for _ in range(int(generator.integers(3, 30))):
        mask[generator.integers(mask.shape[0]), generator.integers(mask.shape[1])] = True
    mask[0, 0] = mask[-1, mask.shape[1] // 2] = mask[mask.shape[0] // 2, -1] = True  # three points that are no line
    assert np.array_equal(convex_hull(mask), convex_hull_image(mask, offset_coordinates=False))


def test_a_hull_is_its_own_hull_and_holds_the_mask() -> None:
    mask = np.random.default_rng(0).random((40, 50)) > 0.99
    hull = convex_hull(mask)
    assert hull[mask].all()
    assert np.array_equal(convex_hull(hull), hull)


def test_one_pixel_and_one_row() -> None:
    mask = np.zeros((4, 5), dtype=bool)
    mask[2, 1] = True
    assert np.array_equal(convex_hull(mask), mask)
    mask[2, 4] = True
    assert convex_hull(mask).sum() == 4


def test_nothing_has_no_hull() -> None:
    with pytest.raises(IndexError):
        convex_hull(np.zeros((3, 3), dtype=bool))
