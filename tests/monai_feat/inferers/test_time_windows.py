# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.inferers import TimeWindowInferer


@pytest.mark.parametrize("frames", [1, 3, 4, 9])
@pytest.mark.parametrize("overlap", [0.0, 0.5])
def test_a_network_without_context_sees_no_difference(frames: int, overlap: float) -> None:
    clip = torch.randn(2, 1, frames, 8, 8)
    result = TimeWindowInferer(4, overlap)(clip, lambda x: torch.cat([x, x.square()], dim=1))
    torch.testing.assert_close(result, torch.cat([clip, clip.square()], dim=1))


def test_overlapping_windows_are_averaged() -> None:
    """A network that says where in its window a frame is: 0 1 2 3."""
    clip = torch.zeros(1, 1, 6, 4, 4)
    place = torch.arange(4.0).reshape(1, 1, 4, 1, 1)
    result = TimeWindowInferer(4, 0.5)(clip, lambda x: x + place)
    assert result[0, 0, :, 0, 0].tolist() == [0, 1, 1, 2, 2, 3]


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"num_frames >= 1 and overlap in \[0, 1\), got 0 and 1"):
        TimeWindowInferer(0, 1)
