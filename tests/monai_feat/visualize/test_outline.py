# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from monai_feat.visualize.outline import CLASS_COLOURS, draw_outlines

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
