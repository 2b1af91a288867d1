# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from skimage.morphology import isotropic_opening

from monai_feat.transforms.endoscopy.opening import disc_opening


@pytest.mark.parametrize("radius", [1, 2, 3, 4, 7])
def test_is_that_of_scikit_image(radius: int) -> None:
    generator = np.random.default_rng(radius)
    for share in (0.98, 0.995):  # where no disc fits, scikit-image measures distances to nothing
        mask = generator.random((60, 80)) < share
        assert np.array_equal(disc_opening(mask, radius), isotropic_opening(mask, radius))


def test_an_opening_takes_away_and_is_its_own_opening() -> None:
    mask = np.random.default_rng(0).random((50, 50)) < 0.95
    opened = disc_opening(mask, 2)
    assert not opened[~mask].any()
    assert np.array_equal(disc_opening(opened, 2), opened)


def test_a_stroke_goes_and_a_field_stays() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[10:30, 10:30] = mask[20, 30:] = True
    opened = disc_opening(mask, 2)
    assert not opened[:, 31:].any()  # a disc at the edge of the field reaches one pixel into the stroke
    assert opened[20, 10:30].all()
    assert disc_opening(np.ones((9, 9), dtype=bool), 3).all()
