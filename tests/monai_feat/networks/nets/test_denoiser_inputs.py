# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.networks.nets.denoiser_inputs import check_channels, timesteps_per_clip


def test_a_timestep_for_each_clip() -> None:
    x = torch.zeros(2, 1)
    assert timesteps_per_clip(3, x).tolist() == timesteps_per_clip(torch.tensor([3]), x).tolist() == [3, 3]
    assert timesteps_per_clip(torch.tensor([3, 4]), x).tolist() == [3, 4]
    with pytest.raises(ValueError, match="got 3 of them"):
        timesteps_per_clip(torch.zeros(3), x)


def test_other_channels_are_refused() -> None:
    check_channels(4, 4)
    with pytest.raises(ValueError, match="set in_channels to 3"):
        check_channels(3, 4)
