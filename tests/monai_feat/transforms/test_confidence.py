# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest

from monai_feat.transforms.confidence import checked_confidence


@pytest.mark.parametrize("confidence", [0, 0.5, 1])
def test_the_ends_belong_to_the_range(confidence: float) -> None:
    assert checked_confidence(confidence) == confidence


@pytest.mark.parametrize("confidence", [-0.01, 1.01, math.nan])
def test_what_is_no_share_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=rf"min_confidence in \[0, 1\], got {confidence}"):
        checked_confidence(confidence)
