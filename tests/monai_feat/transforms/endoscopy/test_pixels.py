# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.transforms.endoscopy.pixels import as_levels
from monai_feat.transforms.functional import to_unit_range


def test_levels_are_the_same_for_both_types_and_a_frame_gets_a_time_axis() -> None:
    clip = torch.randint(0, 256, (3, 2, 5, 7), dtype=torch.uint8)
    assert as_levels(to_unit_range(clip)) == pytest.approx(clip.numpy(), abs=1e-4)
    assert as_levels(clip[:, 0]).shape == (3, 1, 5, 7)
    with pytest.raises(TypeError, match="bool"):
        as_levels(clip > 3)
