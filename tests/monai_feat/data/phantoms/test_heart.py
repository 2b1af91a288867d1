# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from monai_feat.data.phantoms.heart import SYSTOLE_SHARE, draw_heart, emptied, mitral_opening, speckle_field


def test_speckle_is_rayleigh() -> None:
    field = speckle_field(np.random.default_rng(0), (512, 512), (0.008, 0.012))
    envelope = field.square().sum(0).sqrt().flatten()
    assert field.square().sum(0).mean() == pytest.approx(1, abs=1e-5)
    assert envelope.mean() / envelope.std() == pytest.approx(math.sqrt(math.pi / (4 - math.pi)), rel=0.02)
    # The Rayleigh distribution function 1 − exp(−a²) at three amplitudes.
    for a in (0.3, 0.8, 1.5):
        assert (envelope < a).float().mean() == pytest.approx(1 - math.exp(-a * a), abs=0.02)


def test_speckle_width_is_that_of_the_point_spread() -> None:
    width = 0.06
    real, _ = speckle_field(np.random.default_rng(1), (256, 256), (width, 2 * width))
    for dim, expected in ((0, width), (1, 2 * width)):
        lag = round(expected * 256 / 2)
        correlation = (real * real.roll(lag, dim)).mean() / real.square().mean()
        # A point spread of standard deviation s correlates as exp(−lag²/(4 s²)).
        sigma = expected * 256 / math.sqrt(8 * math.log(2))
        assert correlation == pytest.approx(math.exp(-(lag**2) / (4 * sigma**2)), abs=0.12)


def test_cycle_is_smooth_periodic_and_bounded() -> None:
    phase = torch.linspace(0, 1, 2001)
    share = emptied(phase)
    assert share.min() >= -1e-6
    assert share.max() <= 1 + 1e-6
    assert share[0] == pytest.approx(0, abs=1e-6)
    assert share[-1] == pytest.approx(0, abs=1e-6)
    assert emptied(torch.tensor(SYSTOLE_SHARE)) == pytest.approx(1)
    torch.testing.assert_close(emptied(phase + 3), share, atol=1e-4, rtol=0)
    assert share.diff().abs().max() < 5 / 2000


def test_mitral_valve_opens_only_in_diastole() -> None:
    opening = mitral_opening(torch.linspace(0, 0.999, 500))
    assert opening.min() >= -1e-6
    assert opening.max() == pytest.approx(1, abs=1e-3)
    assert opening[: int(500 * SYSTOLE_SHARE)].max() == pytest.approx(0, abs=1e-4)


def test_axes_eject_exactly_the_ejection_fraction() -> None:
    heart = draw_heart(np.random.default_rng(2))
    length, width = heart.axes(torch.linspace(0, 1, 5))
    volume = length * width**2 / (heart.length * heart.width**2)
    torch.testing.assert_close(volume, 1 - heart.ejection_fraction * torch.linspace(0, 1, 5))


def test_volume_is_the_outline_revolved() -> None:
    heart = draw_heart(np.random.default_rng(4))
    u = (np.arange(20000) + 0.5) / 10000 - 1
    half_width = heart.width / 2 * np.sqrt(1 - u**2) * (1 + heart.egg * u)
    volume = (math.pi * half_width**2).mean() * heart.length * 75.0**3 / 1000
    assert heart.end_diastolic_volume == pytest.approx(volume, rel=1e-5)
    assert 30 < volume < 160
