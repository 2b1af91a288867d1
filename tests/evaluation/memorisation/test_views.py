# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluation.memorisation import views
from evaluation.memorisation.descriptors import pixel_maps
from evaluation.memorisation.views import latent_views, pixel_views


def pictures(count: int, frames: int = 3, size: int = 32) -> Tensor:
    """Smooth pictures on black, so that nothing is lost where they are moved."""
    coarse = (
        torch.rand(count, frames, 1, size // 4, size // 4).mul(255).repeat_interleave(4, -1).repeat_interleave(4, -2)
    )
    coarse[..., :4, :] = coarse[..., -4:, :] = coarse[..., :4] = coarse[..., -4:] = 0
    return coarse.to(torch.uint8)


def moved(picture: Tensor, down: int, right: int) -> Tensor:
    return torch.roll(picture, (down, right), (-2, -1))


def test_the_first_views_are_as_it_is_and_mirrored() -> None:
    given = pictures(2)
    as_it_is, mirrored, fitted = pixel_views(given, pixel_maps(pictures(5)))
    torch.testing.assert_close(as_it_is.maps, pixel_maps(given))
    torch.testing.assert_close(mirrored.maps, pixel_maps(given).flip(-1))
    assert (as_it_is.flipped.tolist(), mirrored.flipped.tolist()) == ([False, False], [True, True])
    assert fitted.maps.shape == as_it_is.maps.shape


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, -2), (-2, 2), (2, 0)])
@pytest.mark.parametrize("flipped", [False, True])
def test_a_moved_copy_is_moved_back(down: int, right: int, flipped: bool) -> None:
    train = pictures(6)
    copy = moved(train[3:4], down, right)
    fitted = pixel_views(copy.flip(-1) if flipped else copy, pixel_maps(train))[-1]
    torch.testing.assert_close(fitted.maps, pixel_maps(train[3:4]))
    assert fitted.flipped.tolist() == [flipped]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given, train = pictures(5), pixel_maps(pictures(4))
    whole = pixel_views(given, train)[-1]
    monkeypatch.setattr(views, "BLOCK_NUMBERS", 1)
    blocked = pixel_views(given, train)[-1]
    torch.testing.assert_close(whole.maps, blocked.maps)
    assert torch.equal(whole.flipped, blocked.flipped)


def test_latents_are_not_moved() -> None:
    maps = torch.randn(2, 3, 4, 8, 8)
    as_it_is, mirrored = latent_views(maps)
    assert torch.equal(as_it_is.maps, maps)
    assert torch.equal(mirrored.maps.flip(-1), maps)
