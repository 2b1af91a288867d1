# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from monai_feat.metrics.functional import DenoisingErrors, WienerFilter, denoising_errors
from monai_feat.metrics.functional.spectra import inverse_cosine_transform, spatial_band

SHAPE = (2, 4, 6, 6)  # C, T, H, W
OFFSET = 3.0


def gaussian_clips(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Clips whose modes are independent: two channels of one covariance, weaker at fine modes; and the modes' power."""
    generator = torch.Generator().manual_seed(seed)
    power = torch.rand(SHAPE[1:], generator=torch.Generator().manual_seed(5)) * 3
    mix = torch.tensor([[1.0, 0.0], [0.8, 0.6]])
    modes = torch.einsum("cd,bdthw->bcthw", mix, torch.randn(count, *SHAPE, generator=generator)) * power.sqrt()
    return OFFSET + inverse_cosine_transform(modes), power


def expected_error(power: Tensor, ratio: float) -> Tensor:
    """Sum over channels of what no denoiser of Gaussian modes can do without: tr ρ² S (S + ρ²)⁻¹, of each mode."""
    values = torch.linalg.eigvalsh(torch.tensor([[1.0, 0.8], [0.8, 1.0]]))
    variances = power[..., None] * values
    return (variances * ratio**2 / (variances + ratio**2)).sum(-1)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 4.0])
def test_filter_reaches_the_least_error_of_gaussian_clips(ratio: float) -> None:
    (fitted, power), (held_out, _) = gaussian_clips(2000, 0), gaussian_clips(400, 1)
    errors = denoising_errors(WienerFilter(fitted), held_out, WienerFilter(fitted), ratios=[ratio])
    assert errors.wiener.sum().item() == pytest.approx(expected_error(power, ratio).sum().item(), rel=0.03)
    torch.testing.assert_close(errors.network, errors.wiener)
    assert errors.below_wiener().tolist() == [0.0]


def test_parts_are_those_of_their_modes() -> None:
    (fitted, power), (held_out, _) = gaussian_clips(2000, 0), gaussian_clips(2000, 1)
    errors = denoising_errors(lambda noisy, _: noisy, held_out, WienerFilter(fitted), ratios=[0.5])
    bands = spatial_band(6, 6) + 1
    counts = torch.bincount(bands.flatten(), minlength=5)
    noise = 2 * 0.25 * counts.double().expand(4, -1)  # nothing is done about it: two channels of 0.25 at each mode
    torch.testing.assert_close(errors.network[0], noise, rtol=0.05, atol=0)
    prior = torch.stack([2 * power[:, bands == band].sum(1) for band in range(5)], 1).double()
    torch.testing.assert_close(errors.prior, prior, rtol=0.1, atol=0)
    torch.testing.assert_close(errors.by_time()[0], noise.sum(1) / prior.sum(1), rtol=0.1, atol=0)
    torch.testing.assert_close(errors.by_space()[0], noise.sum(0) / prior.sum(0), rtol=0.1, atol=0)
    assert errors.relative(errors.network).item() == pytest.approx((noise.sum() / prior.sum()).item(), rel=0.05)


def test_a_perfect_network_is_all_the_way_below_the_filter() -> None:
    (fitted, _), (held_out, _) = gaussian_clips(50, 0), gaussian_clips(6, 1)
    known = iter(held_out.split(4))
    errors = denoising_errors(lambda *_: next(known), held_out, WienerFilter(fitted), ratios=[1.0], batch_size=4)
    assert errors.below_wiener().item() == pytest.approx(1.0)


def test_the_noise_is_that_of_the_seed() -> None:
    (fitted, _), (held_out, _) = gaussian_clips(50, 0), gaussian_clips(6, 1)

    def measure(seed: int, batch_size: int) -> DenoisingErrors:
        return denoising_errors(lambda noisy, _: 0.5 * noisy, held_out, WienerFilter(fitted), [1.0], seed, batch_size)

    torch.testing.assert_close(measure(3, 2).network, measure(3, 8).network)
    assert not torch.equal(measure(3, 8).network, measure(4, 8).network)


def test_too_few_clips_to_fit() -> None:
    with pytest.raises(ValueError, match="more clips than their 2 channels to fit a filter to, got 2"):
        WienerFilter(torch.randn(2, *SHAPE))
