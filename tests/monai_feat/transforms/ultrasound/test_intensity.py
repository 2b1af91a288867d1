# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from monai_feat.transforms.ultrasound import DisplayChange, UltrasoundField, change_display, rician_speckle
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, SECTOR, speckled

FIELD = UltrasoundField.of(SECTOR, 64, 64)
RAYLEIGH_RATIO = math.sqrt(math.pi / (4 - math.pi))


def _noise(strength: float, persistence: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return rician_speckle((12, 96, 96), strength, 2.0, persistence, generator)


@pytest.mark.parametrize("persistence", [0.0, 0.9])
def test_full_speckle_is_rayleigh(persistence: float) -> None:
    factor = _noise(1.0, persistence).double()
    assert float(factor.square().mean()) == pytest.approx(1, rel=0.05)
    assert float(factor.mean() / factor.std()) == pytest.approx(RAYLEIGH_RATIO, rel=0.03)
    # P(R > r) = exp(−r²)
    assert float((factor > 1).double().mean()) == pytest.approx(math.exp(-1), abs=0.02)


def test_partial_speckle_is_rician_with_unit_power() -> None:
    strength = 0.2
    factor = _noise(strength).double()
    assert float(factor.square().mean()) == pytest.approx(1, rel=0.03)
    # Var(R²) = s² + 2 s (1 − s) for R = |√(1−s) + √s·z|
    assert float(factor.square().var()) == pytest.approx(strength**2 + 2 * strength * (1 - strength), rel=0.1)
    assert torch.allclose(_noise(0.0), torch.ones(()))


def test_speckle_persists_in_time_as_told() -> None:
    still, jumping = (
        torch.corrcoef(_noise(1.0, persistence)[:2].square().flatten(1))[0, 1] for persistence in (0.9, 0.0)
    )
    assert float(still) == pytest.approx(0.81, abs=0.05)  # intensities correlate by ρ²
    assert abs(float(jumping)) < 0.05


def test_the_envelope_of_an_even_field_becomes_rayleigh() -> None:
    even, field = torch.full((1, 12, 96, 96), 0.4), UltrasoundField.nowhere(96, 96)
    shown = change_display(even, field, DisplayChange(speckle=1.0, grain=2.0), torch.Generator().manual_seed(1))
    envelope = 10 ** (((shown + 1) / 2 - 1).double() * 60 / 20)
    assert float(envelope.mean() / envelope.std()) == pytest.approx(RAYLEIGH_RATIO, rel=0.03)


def test_no_change_is_no_change_and_outside_nothing_changes() -> None:
    clip = speckled(SECTOR)
    clip[..., :4, :4] = 200
    assert torch.equal(change_display(clip, FIELD, DisplayChange(dynamic_range_db=48)), clip)
    changed = change_display(clip, FIELD, DisplayChange(5, (0.0, 3.0), 60, 0.9, 0.3))
    assert changed.dtype == torch.uint8
    assert torch.equal(changed[..., ~FIELD.mask], clip[..., ~FIELD.mask])
    assert not torch.equal(changed, clip)


def test_gain_adds_decibels_and_the_range_divides_them() -> None:
    clip = torch.full((1, 1, 64, 64), 0.0)  # 30 dB under white at a range of 60 dB
    middle = (0, 0, 40, 31)
    gained = change_display(clip, FIELD, DisplayChange(gain_db=6.0))
    flatter = change_display(clip, FIELD, DisplayChange(range_ratio=1.5))
    assert float(gained[middle]) == pytest.approx(2 * (1 - 24 / 60) - 1, abs=1e-5)
    assert float(flatter[middle]) == pytest.approx(2 * (1 - 30 / 90) - 1, abs=1e-5)


def test_compensation_follows_the_depth_below_the_probe() -> None:
    field = UltrasoundField.of(RECTANGLE, 64, 64)
    changed = change_display(torch.zeros(1, 1, 64, 64), field, DisplayChange(tgc_db=(0.0, 12.0, 0.0)))
    gain = changed[0, 0, :, 30] / 2 * 60  # dB
    assert int(gain[6:57].argmax()) + 6 in (31, 32)
    assert float(gain[18]) == pytest.approx(12 * 2 * (18 - 5.5) / 52, abs=1e-3)


@pytest.mark.parametrize(
    "values", [{"speckle": 1.5}, {"dynamic_range_db": 0}, {"tgc_db": (1.0,)}, {"persistence": 1.0}, {"grain": 0}]
)
def test_impossible_settings_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        DisplayChange(**values)


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match="field's size"):
        change_display(torch.zeros(1, 2, 32, 32), FIELD, DisplayChange())
