# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from monai_feat.networks.mixers import Slot, SpectralMixing
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised

C = 3


def filter_slowly(block: SpectralMixing, v: Tensor) -> Tensor:
    """Mode by mode, by sums of sines and cosines over all modes of the whole turn."""
    N, T, _ = v.shape
    everywhere, outstanding = block.filters_at(T)
    times = torch.arange(T, dtype=torch.float64)
    waves = torch.exp(-2j * math.pi * times[:, None] * times / T)  # (mode, time)
    modes = torch.einsum("kt,ntc->nkc", waves, v.to(torch.complex128)) / T**0.5
    half = T // 2 + 1
    outputs = []
    for n in range(N):
        energy = modes[n, :half].abs().square().sum(dim=1)
        above = energy > block.threshold * (energy.sort().values[(half - 1) // 2] + 1e-6)
        step = above.double() + block.threshold - block.threshold.detach()
        filtered = modes[n, :half] * (everywhere + step[:, None] * outstanding)
        # the other half of the turn is the mirror image; real parts are all that a real clip has at 0 and half a turn
        weights = torch.full((half, 1), 2.0, dtype=torch.float64)
        weights[0] = 1
        if T % 2 == 0:
            weights[-1] = 1
        outputs.append(((waves[:half].conj().T @ (filtered * weights)) / T**0.5).real)
    return torch.stack(outputs)


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_equals_sums_of_waves(length: int) -> None:
    block = randomised(SpectralMixing(Slot("time", C), num_frequencies=3))
    v = torch.randn(2, length, C, dtype=torch.float64)
    assert_twins(block.mix, lambda x: filter_slowly(block, x), [v], [block.filters, block.threshold])


def flat(block: SpectralMixing, everywhere: float, outstanding: float) -> SpectralMixing:
    nn.init.zeros_(block.filters)
    block.filters.data[0, 0], block.filters.data[1, 0] = everywhere, outstanding
    return block


def test_filters_of_one_pass_values_through() -> None:
    block, v = SpectralMixing(Slot("time", C)), torch.randn(2, 7, C)
    torch.testing.assert_close(flat(block, 1.0, 0.0).mix(v), v)
    block.threshold.data.zero_()
    torch.testing.assert_close(flat(block, 0.0, 1.0).mix(v), v)


def test_a_pure_tone_is_scaled_by_its_own_frequency() -> None:
    block = randomised(SpectralMixing(Slot("time", 1), num_frequencies=9))
    nn.init.zeros_(block.filters[1])
    times = torch.arange(16, dtype=torch.float64)
    tone = torch.cos(2 * math.pi * 3 * times / 16)[None, :, None]
    shift = torch.sin(2 * math.pi * 3 * times / 16)[None, :, None]
    real, imaginary = block.filters[0, :, 0, 3]  # of nine frequencies, the one of mode 3 of 16 frames
    torch.testing.assert_close(block.mix(tone), real * tone - imaginary * shift)


def test_is_a_circular_convolution_without_the_second_part() -> None:
    block = randomised(SpectralMixing(Slot("time", 1), num_frequencies=9))
    nn.init.zeros_(block.filters[1])
    v, pulse = torch.randn(1, 8, 1, dtype=torch.float64), torch.zeros(1, 8, 1, dtype=torch.float64)
    pulse[0, 0] = 1
    kernel = block.mix(pulse)[0, :, 0]
    expected = sum(kernel[lag] * v.roll(lag, dims=1) for lag in range(8))
    torch.testing.assert_close(block.mix(v), expected)


def test_no_frequency_is_an_error() -> None:
    with pytest.raises(ValueError, match="num_frequencies must be at least 1, got 0"):
        SpectralMixing(Slot("time", C), num_frequencies=0)
