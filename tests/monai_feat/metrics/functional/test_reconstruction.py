# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from monai_feat.metrics.functional.reconstruction import clip_ms_ssim, clip_psnr, clip_ssim


def pair(side: int = 48, channels: int = 3) -> tuple[Tensor, Tensor]:
    """Clips with a noisy version of them."""
    ramp = torch.linspace(0, 1, side)
    smooth = 255 * (ramp[:, None] + ramp).expand(2, channels, 3, side, side) / 2
    original = (smooth + 20 * torch.randn(smooth.shape)).clamp(0, 255).to(torch.uint8)
    noisy = (original + 12 * torch.randn(smooth.shape)).round().clamp(0, 255).to(torch.uint8)
    return noisy, original


def test_psnr_agrees_with_skimage() -> None:
    noisy, original = pair()
    expected = [peak_signal_noise_ratio(b.numpy(), a.numpy()) for a, b in zip(noisy, original, strict=True)]
    torch.testing.assert_close(clip_psnr(noisy, original), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_agrees_with_skimage(channels: int) -> None:
    noisy, original = pair(channels=channels)
    options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=0)
    expected = [
        sum(structural_similarity(a[:, t].double().numpy(), b[:, t].double().numpy(), **options) for t in range(3)) / 3
        for a, b in zip(noisy, original, strict=True)
    ]
    torch.testing.assert_close(clip_ssim(noisy, original), torch.tensor(expected), atol=1e-5, rtol=0)


def test_ms_ssim_of_five_scales_agrees_with_the_published_recipe() -> None:
    noisy, original = pair(side=176, channels=1)
    image, reference = noisy[:1, :, :1], original[:1, :, :1]
    expected = 1.0
    a, b = image[0, 0, 0].double(), reference[0, 0, 0].double()
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        last = scale == 4
        similarity = ssim_terms(a, b)
        expected *= (similarity[0] if last else similarity[1]) ** weight
        a, b = (torch.nn.functional.avg_pool2d(part[None, None], 2)[0, 0] for part in (a, b))
    assert clip_ms_ssim(image, reference).item() == pytest.approx(expected, abs=1e-5)


def ssim_terms(a: Tensor, b: Tensor) -> tuple[float, float]:
    """SSIM, and its product of contrast and structure, by a plain convolution where the window is inside."""
    place = torch.arange(-5.0, 6.0, dtype=torch.float64)
    weight = torch.exp(-place.square() / (2 * 1.5**2))
    window = torch.outer(weight, weight)[None, None] / weight.sum() ** 2

    def mean(image: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(image[None, None], window)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    variances = mean(a * a) - mean(a) ** 2 + mean(b * b) - mean(b) ** 2
    structure = (2 * (mean(a * b) - mean(a) * mean(b)) + c2) / (variances + c2)
    light = (2 * mean(a) * mean(b) + c1) / (mean(a) ** 2 + mean(b) ** 2 + c1)
    return (light * structure).mean().item(), structure.mean().item()


@pytest.mark.parametrize(("measure", "best"), [(clip_psnr, math.inf), (clip_ssim, 1.0)])
def test_equal_clips_score_best_and_noise_costs(measure: Callable[[Tensor, Tensor], Tensor], best: float) -> None:
    noisy, original = pair()
    assert torch.equal(measure(original, original), torch.full((2,), best, dtype=torch.float64))
    assert (measure(noisy, original) < best).all()
    torch.testing.assert_close(measure(noisy, original), measure(original, noisy))


@pytest.mark.parametrize(("side", "fits"), [(176, 5), (99, 4), (64, 3), (22, 2)])
def test_small_frames_name_the_scales_that_fit(side: int, fits: int) -> None:
    clips = torch.randint(0, 256, (1, 1, 2, side, side), dtype=torch.uint8)
    assert clip_ms_ssim(clips, clips, scales=fits).item() == pytest.approx(1)
    if fits < 5:
        with pytest.raises(ValueError, match=f"needs frames of at least 176 pixels, got {side}; set scales={fits}"):
            clip_ms_ssim(clips, clips)


def test_what_does_not_fit_is_refused() -> None:
    noisy, original = pair(side=48)
    with pytest.raises(ValueError, match="of one shape"):
        clip_psnr(noisy, original[..., :32])
    with pytest.raises(TypeError, match="expected uint8"):
        clip_ssim(noisy.float(), original)
    with pytest.raises(ValueError, match="at least 11 x 11 pixels"):
        clip_ssim(noisy[..., :8, :8], original[..., :8, :8])
    with pytest.raises(ValueError, match="got 8; use SSIM"):
        clip_ms_ssim(noisy[..., :8, :8], original[..., :8, :8])
    with pytest.raises(ValueError, match="expected 2 to 5 scales, got 6"):
        clip_ms_ssim(noisy, original, scales=6)
