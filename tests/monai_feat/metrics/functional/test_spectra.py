# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from scipy.fft import dctn

from monai_feat.metrics.functional import (
    band_power,
    spatial_band,
    spatial_power,
    temporal_band,
    temporal_power,
)
from monai_feat.metrics.functional.spectra import cosine_modes, cosine_transform


def test_transform_is_that_of_scipy() -> None:
    clips = torch.randn(2, 3, 5, 6, 7, dtype=torch.float64)
    expected = torch.from_numpy(dctn(clips.numpy(), type=2, norm="ortho", axes=(2, 3, 4)))
    torch.testing.assert_close(cosine_transform(clips), expected)


def test_power_of_a_swinging_mode_is_found_in_that_mode_alone() -> None:
    amplitude = torch.randn(2, 3, 1, 4, 4, dtype=torch.float64)
    clips = amplitude * cosine_modes(8)[3][:, None, None]
    power = temporal_power(clips)
    expected = torch.zeros(2, 8, dtype=torch.float64)
    expected[:, 3] = amplitude.square().mean(dim=(1, 2, 3, 4))
    torch.testing.assert_close(power, expected)


def test_white_noise_has_the_same_power_everywhere() -> None:
    torch.manual_seed(0)
    clips = 3 * torch.randn(40, 1, 8, 24, 24)
    torch.testing.assert_close(temporal_power(clips).mean(0), torch.full((8,), 9.0).double(), rtol=0.03, atol=0)
    torch.testing.assert_close(spatial_power(clips).mean(0), torch.full((4,), 9.0).double(), rtol=0.03, atol=0)


def test_power_in_time_adds_up_to_the_mean_square() -> None:
    clips = torch.randn(2, 3, 5, 6, 7)
    torch.testing.assert_close(temporal_power(clips).sum(1) / 5, clips.double().square().mean(dim=(1, 2, 3, 4)))


def test_bands_are_cycles_a_pixel() -> None:
    bands = spatial_band(16, 64)
    assert bands[0, 0] == -1
    assert bands[0, 15] == 0  # 15 half swings over 64 columns: 0.117 cycles a pixel
    assert bands[0, 16] == bands[4, 0] == 1  # 0.125, the border itself
    assert bands[12, 0] == bands[15, 63] == 3
    assert spatial_band(8, 8, borders=()).max() == 0


def test_a_finest_checkerboard_is_in_the_last_band() -> None:
    row = torch.tensor([1.0, -1.0] * 16)
    power = spatial_power((row[:, None] * row).expand(1, 1, 2, 32, 32))
    assert power.argmax() == 3
    assert power[0, 3] > 100 * power[0, :3].max()


def test_frames_without_a_mode_in_each_band() -> None:
    with pytest.raises(ValueError, match="give fewer borders"):
        spatial_power(torch.zeros(1, 1, 2, 2, 2))


def test_power_by_band_agrees_with_the_power_of_time_and_of_space_alone() -> None:
    clips = 40 * torch.rand(2, 3, 8, 12, 16)
    power, in_time, in_space = band_power(clips), temporal_power(clips), spatial_power(clips)
    torch.testing.assert_close(power.sum(dim=(1, 2)), clips.double().square().mean(dim=(1, 2, 3, 4)))
    fast = temporal_band(8) == 2
    torch.testing.assert_close(power[:, 3].sum(1), in_time[:, fast].sum(1) / 8)
    bands = spatial_band(12, 16)
    torch.testing.assert_close(power[:, :, 4].sum(1), in_space[:, 3] * int((bands == 3).sum()) / (12 * 16))


def test_a_change_of_brightness_is_in_the_mean_of_frames_alone() -> None:
    swing = cosine_modes(16)[12][:, None, None]
    power = band_power(swing.expand(1, 1, 16, 8, 8))
    assert power[0, 3, 0] == pytest.approx(1 / 16)
    assert power.sum() == pytest.approx(1 / 16)
