# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from evaluation.memorisation.descriptors import Whitening, latent_maps, pixel_maps, thumbnails


def pictures(count: int, frames: int = 4, size: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (count, frames, 1, size, size), dtype=torch.uint8)


def test_thumbnails_are_grey_and_at_most_64_wide() -> None:
    clip = torch.randint(0, 256, (3, 2, 128, 32), dtype=torch.uint8)
    small = thumbnails([clip])
    assert (small.shape, small.dtype) == ((1, 2, 1, 64, 32), torch.uint8)
    luma = (clip.double() * torch.tensor([0.299, 0.587, 0.114])[:, None, None, None]).sum(0)
    expected = luma.unflatten(1, (64, 2)).mean(2)
    assert (small[0, :, 0] - expected).abs().max() <= 1.0


def test_small_grey_clips_are_their_own_thumbnails() -> None:
    clip = torch.randint(0, 256, (1, 2, 48, 64), dtype=torch.uint8)
    assert torch.equal(thumbnails([clip])[0], clip.transpose(0, 1))


def test_maps_are_centred_and_of_unit_norm() -> None:
    maps = pixel_maps(pictures(2))
    assert maps.shape == (2, 4, 1, 16, 16)
    torch.testing.assert_close(maps.flatten(2).sum(-1), torch.zeros(2, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(maps.flatten(2).norm(dim=-1), torch.ones(2, 4))


def test_maps_do_not_see_brightness_and_contrast() -> None:
    dark = pictures(1) // 4
    torch.testing.assert_close(pixel_maps(dark), pixel_maps(3 * dark + 20))


def test_mirroring_maps_is_mirroring_pictures() -> None:
    given = pictures(1, size=40)
    torch.testing.assert_close(pixel_maps(given.flip(-1)), pixel_maps(given).flip(-1))


def test_a_frame_that_shows_nothing_is_zero_and_stays_zero() -> None:
    given = pictures(3)
    given[0, 1] = 7
    maps = pixel_maps(given)
    vectors = Whitening(maps)(maps)
    assert not maps[0, 1].any()
    assert not vectors[0, 1].any()
    assert vectors[0, 0].any()


def test_latent_maps_are_at_most_eight_wide() -> None:
    assert latent_maps(torch.randn(2, 4, 3, 16, 16)).shape == (2, 3, 4, 8, 8)
    assert latent_maps(torch.randn(2, 4, 3, 4, 6)).shape == (2, 3, 4, 4, 4)


def test_inner_products_are_those_of_the_inverse_covariance() -> None:
    maps = torch.randn(40, 5, 1, 3, 3)
    whiten = Whitening(maps)
    frames = maps.flatten(2).flatten(0, 1).double()
    covariance = torch.cov(frames.T, correction=0)
    precision = torch.linalg.inv(covariance + covariance.diagonal().mean() * torch.eye(9, dtype=torch.float64))
    x, y = frames[:2] - frames.mean(0)
    expected = x @ precision @ y / torch.sqrt((x @ precision @ x) * (y @ precision @ y))
    vectors = whiten(maps).flatten(0, 1).double()
    torch.testing.assert_close(vectors[0] @ vectors[1], expected, atol=1e-5, rtol=0)


def test_what_training_frames_share_is_taken_out() -> None:
    shared = torch.rand(1, 1, 1, 32, 32) * 120
    given = (shared + torch.rand(20, 4, 1, 32, 32) * 40).to(torch.uint8)
    maps = pixel_maps(given)
    raw = (maps[0, 0] * maps[1, 0]).sum()
    vectors = Whitening(maps)(maps)
    assert raw > 0.8
    assert (vectors[0, 0] @ vectors[1, 0]).abs() < 0.3


@pytest.mark.parametrize("alike", [torch.zeros(2, 3, 1, 4, 4), torch.ones(1, 1, 1, 4, 4)])
def test_training_frames_without_variance_give_finite_vectors(alike: torch.Tensor) -> None:
    assert torch.isfinite(Whitening(alike)(torch.randn(2, 3, 1, 4, 4))).all()
