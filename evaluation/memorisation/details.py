# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames as maps of their local detail: a part of a frame stays itself wherever, however large, in whatever greys.

Inside the field of view, grey levels lose their local mean and contrast; outside it, and along its edge, a map is zero.
So neither the border nor the outline of a sector can match, and grey levels turned round give the same map with the
other sign. Legend: N clips, K frames of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["DETAIL_SIZE", "Equaliser", "detail_maps", "resized"]

DETAIL_SIZE = 64  # rows and columns of a map
NEIGHBOURS = 9  # rows and columns over which mean and contrast are local
FLATTEST = 6.0  # grey levels; less contrast than that is not brought up to full contrast
DARKEST, BRIGHTEST = 12, 243  # what never leaves these is no picture: a border, or a border turned round
RIDGE = 0.6  # part of the mean power


def detail_maps(pictures: Tensor, frames: Sequence[int]) -> Tensor:
    """Return the local detail of some frames of clips.

    Args:
        pictures: uint8 ``(N, T, 1, h, w)``, as `thumbnails` returns them.
        frames: K numbers of frames.

    Returns:
        float32 ``(N, K, 64, 64)``.
    """
    return torch.stack([_detail(picture.float(), list(frames)) for picture in pictures])


def _detail(picture: Tensor, frames: list[int]) -> Tensor:
    field = ((picture.amax(0) > DARKEST) & (picture.amin(0) < BRIGHTEST)).float()[None]  # (1, 1, h, w)
    share = _box(field, NEIGHBOURS).clamp_min(1e-3)
    shown = picture[frames]
    centred = (shown - _box(shown * field, NEIGHBOURS) / share) * field
    contrast = (_box(centred.square(), NEIGHBOURS) / share).sqrt()
    inner = _box(field, 3) > 0.99
    return resized(centred / (contrast + FLATTEST) * inner, DETAIL_SIZE)[:, 0]


def _box(maps: Tensor, size: int) -> Tensor:
    return F.avg_pool2d(maps, size, 1, size // 2)


def resized(maps: Tensor, size: int, zoom: float = 1.0) -> Tensor:
    """Show maps ``(N, K, h, w)`` in a square, larger or smaller about its middle; what is beyond them is zero."""
    side = max(4, round(size * zoom))
    if maps.shape[-2:] == (side, side) == (size, size):
        return maps
    found = F.interpolate(maps, (side, side), mode="bilinear", antialias=True)
    before = (size - side) // 2
    return F.pad(found, [before, size - side - before] * 2)  # a negative number crops


class Equaliser:
    """Filter after which training maps have about equal power at all spatial frequencies, and none at zero.

    Only then does a correlation of two maps have one narrow peak, where they fit, and little beside it.

    Args:
        maps: of training clips, ``(..., n, n)``.
    """

    def __init__(self, maps: Tensor) -> None:
        power = torch.fft.rfft2(maps).abs().square().flatten(0, -3).mean(0)
        self.weight = (power + RIDGE * power.mean()).clamp_min(1e-12).rsqrt()
        self.weight[0, 0] = 0

    def __call__(self, maps: Tensor) -> Tensor:
        """Return filtered maps, ``(..., n, n)``."""
        even: Tensor = torch.fft.irfft2(torch.fft.rfft2(maps) * self.weight, s=maps.shape[-2:])
        return even
