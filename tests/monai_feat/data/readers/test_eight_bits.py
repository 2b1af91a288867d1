# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.eight_bits import exact_uint8, reduced_uint16, whole_numbers


def test_only_whole_numbers_become_uint8() -> None:
    whole = np.array([0.0, 7.0, 255.0])
    assert exact_uint8("a", whole).tolist() == [0, 7, 255]
    for value in (0.5, -1, 256, np.nan, np.inf):
        with pytest.raises(VideoReadError, match="whole numbers from 0 to 255"):
            exact_uint8("a", np.array([0, value]))


def test_whole_numbers_of_any_type_keep_their_value() -> None:
    for dtype in ("u1", "i2", "u4", "f4", "f8"):
        assert whole_numbers("a", np.array([0, 3, 99], dtype)).tolist() == [0, 3, 99]
    for value in (0.5, np.nan, 2.0**31, -np.inf):
        with pytest.raises(VideoReadError, match="not whole: they are not classes"):
            whole_numbers("a", np.array([0.0, value]))


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_sixteen_bits_are_reduced_from_the_range_that_is_declared(bits: int) -> None:
    white = 2**bits - 1
    levels = np.linspace(0, white, 300).round().astype(np.uint16)
    truth = np.floor(levels / white * 255 + 0.5)
    assert abs(reduced_uint16("a", levels, white).astype(float) - truth).max() == 0
    if bits < 16:
        with pytest.raises(VideoReadError, match=rf"levels up to {min(white, 16383)} only"):
            reduced_uint16("a", levels)
    assert reduced_uint16("a", np.zeros(4, np.uint16)).tolist() == [0] * 4
