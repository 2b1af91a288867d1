# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.stats import nakagami, rayleigh
from torch import Tensor

from monai_feat.metrics.functional.ultrasound import (
    RAYLEIGH_SNR,
    autocovariance_width,
    nakagami_m,
    noise_power_spectrum,
    speckle_snr,
    spectral_slope,
)

SHAPE = (1, 1, 8, 64, 64)


def as_levels(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.round().clip(0, 255)).to(torch.uint8)


def rayleigh_envelope(scale: float = 40) -> np.ndarray:
    return rayleigh.rvs(scale=scale, size=SHAPE, random_state=0)


def grains(down: float, right: float, seed: int = 0) -> Tensor:
    noise = np.random.default_rng(seed).standard_normal((1, 1, 6, 128, 128))
    smooth = gaussian_filter(noise, (0, 0, 0, down, right))
    return as_levels(120 + 30 * smooth / smooth.std())


def log_compressed(envelope: np.ndarray, dynamic_range: float) -> Tensor:
    decibel = 20 * np.log10(envelope / envelope.max())
    return as_levels(255 * (1 + decibel / dynamic_range))


def test_fully_developed_speckle_has_the_ratio_of_rayleigh() -> None:
    assert pytest.approx(1.9131, abs=1e-4) == RAYLEIGH_SNR == math.sqrt(math.pi / (4 - math.pi))
    assert speckle_snr(as_levels(rayleigh_envelope())).item() == pytest.approx(RAYLEIGH_SNR, rel=0.02)


@pytest.mark.parametrize("m", [0.5, 1.0, 2.0, 4.0])
def test_the_shape_of_samples_is_recovered(m: float) -> None:
    envelope = nakagami.rvs(m, scale=60, size=SHAPE, random_state=1)
    assert nakagami_m(as_levels(envelope)).item() == pytest.approx(m, rel=0.06)


@pytest.mark.parametrize("dynamic_range", [40.0, 60.0])
def test_undoing_log_compression_recovers_the_envelope(dynamic_range: float) -> None:
    clips = log_compressed(rayleigh_envelope(), dynamic_range)
    assert speckle_snr(clips, dynamic_range).item() == pytest.approx(RAYLEIGH_SNR, rel=0.03)
    assert nakagami_m(clips, dynamic_range).item() == pytest.approx(1, rel=0.06)
    assert speckle_snr(clips).item() > 4


def test_ratio_and_shape_do_not_depend_on_gain() -> None:
    quiet, loud = (as_levels(rayleigh_envelope(scale)) for scale in (30, 45))
    for measure in (speckle_snr, nakagami_m):
        torch.testing.assert_close(measure(quiet), measure(loud), rtol=0.01, atol=0)


@pytest.mark.parametrize(("down", "right"), [(0.7, 1.0), (1.0, 0.7)])
def test_the_width_of_grains_of_known_size(down: float, right: float) -> None:
    clips = grains(down, right)
    # White noise through a Gaussian of σ has a Gaussian autocovariance of √2 σ; its full width at half maximum:
    for direction, sigma in (("axial", down), ("lateral", right)):
        expected = 2 * math.sqrt(2 * math.log(2)) * math.sqrt(2) * sigma
        assert autocovariance_width(clips, direction).item() == pytest.approx(expected, rel=0.07)  # type: ignore[arg-type]


def test_turning_a_clip_swaps_axial_and_lateral() -> None:
    clips = grains(0.7, 1.4)
    turned = clips.transpose(-1, -2)
    torch.testing.assert_close(autocovariance_width(clips, "axial"), autocovariance_width(turned, "lateral"))


def test_white_noise_has_flat_power_equal_to_its_variance() -> None:
    sigma = 20.0
    clips = as_levels(np.random.default_rng(0).normal(128, sigma, (2, 1, 16, 64, 64)))
    spectrum = noise_power_spectrum(clips)
    assert spectrum.frequency[[0, -1]].tolist() == [1 / 16, 0.5]
    torch.testing.assert_close(spectrum.power[:, 1:], torch.full((2, 7), sigma**2).double(), rtol=0.06, atol=0)
    assert spectrum.slope.abs().max() < 0.05


def test_power_is_where_the_wave_is() -> None:
    x = torch.arange(64)
    wave = (128 + 50 * torch.cos(2 * torch.pi * 0.25 * x)).round().to(torch.uint8).expand(1, 1, 1, 64, 64)
    spectrum = noise_power_spectrum(wave)
    assert spectrum.frequency[spectrum.power[0].argmax()] == 0.25


def test_the_slope_of_a_power_law() -> None:
    frequency = torch.arange(1, 9, dtype=torch.float64) / 16
    slopes = spectral_slope(frequency, torch.stack((3 * frequency**-2.5, frequency**0)))
    torch.testing.assert_close(slopes, torch.tensor([-2.5, 0.0], dtype=torch.float64))
    assert noise_power_spectrum(grains(1.0, 1.0)).slope.item() < -2


MEASURES: tuple[Callable[[Tensor], Tensor], ...] = (
    speckle_snr,
    nakagami_m,
    lambda clips: autocovariance_width(clips, "axial"),
    lambda clips: autocovariance_width(clips, "lateral"),
    lambda clips: noise_power_spectrum(clips).slope,
)


@pytest.mark.parametrize("measure", MEASURES)
def test_clips_without_texture_have_no_value_and_black_surroundings_do_not_count(
    measure: Callable[[Tensor], Tensor],
) -> None:
    speckle = as_levels(rayleigh_envelope())
    surrounded = torch.nn.functional.pad(speckle, (32, 32, 16, 16))
    values = measure(torch.cat((surrounded, torch.zeros_like(surrounded), torch.full_like(surrounded, 99))))
    assert values.isnan().tolist() == [False, True, True]
    torch.testing.assert_close(values[:1], measure(speckle))


@pytest.mark.parametrize("measure", MEASURES)
def test_rgb_is_taken_as_luma(measure: Callable[[Tensor], Tensor]) -> None:
    grey = as_levels(rayleigh_envelope())
    torch.testing.assert_close(measure(grey.expand(-1, 3, -1, -1, -1)), measure(grey))


@pytest.mark.parametrize("measure", MEASURES)
def test_small_frames_and_floats_are_refused(measure: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="at least 16 x 16 pixels"):
        measure(torch.zeros(1, 1, 2, 8, 8, dtype=torch.uint8))
    with pytest.raises(TypeError, match="expected uint8"):
        measure(torch.full((1, 1, 2, 32, 32), torch.nan))


def test_senseless_settings_are_refused() -> None:
    clips = as_levels(rayleigh_envelope())
    with pytest.raises(ValueError, match="dynamic range in dB"):
        speckle_snr(clips, dynamic_range=0)
    with pytest.raises(ValueError, match="at least 4 pixels, got 2"):
        nakagami_m(clips, square=2)
    with pytest.raises(ValueError, match=r"one of .*axial.*, got 'up'"):
        autocovariance_width(clips, "up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="even square"):
        noise_power_spectrum(clips, square=9)
