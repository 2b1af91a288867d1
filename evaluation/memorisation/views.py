# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The ways in which a clip is compared with training clips: unchanged, mirrored, and shifted to where it fits best.

A picture that is moved by a pixel no longer lies on what training frames share, such as the edge of a sector, so that
even a blurred comparison would miss it. Legend: N clips, M training clips, T frames, D numbers of a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .descriptors import Whitening, pixel_maps

__all__ = ["View", "latent_views", "pixel_views"]

REACH = 2  # pixels of a thumbnail, to each side
BLOCK_NUMBERS = 1 << 24  # similarities held at a time, 64 MiB


@dataclass(frozen=True)
class View:
    """Clips, changed somehow.

    Attributes:
        maps: float32 ``(N, T, C, h, w)``.
        flipped: whether a clip was mirrored ``(N,)``.
    """

    maps: Tensor
    flipped: Tensor


def latent_views(maps: Tensor) -> list[View]:
    """Return latents as they are and mirrored."""
    return [View(maps, _all(maps, False)), View(maps.flip(-1), _all(maps, True))]


def pixel_views(pictures: Tensor, train_maps: Tensor) -> list[View]:
    """Return clips as they are, mirrored, and moved to where they fit best, by up to two pixels of a thumbnail.

    Where a clip fits best, and which way round, is found by its middle frame alone, among all training frames.

    Args:
        pictures: thumbnails of the clips, uint8 ``(N, T, 1, h, w)``.
        train_maps: of the training clips, ``(M, T, 1, 16, 16)``.
    """
    whiten = Whitening(train_maps)
    train = whiten(train_maps).flatten(0, 1).T.contiguous()  # (D, M·T)
    blocks = pictures.split(max(1, BLOCK_NUMBERS // train.shape[1]))
    fitted = [_fitted(block, whiten, train) for block in blocks]
    moved = View(torch.cat([view.maps for view in fitted]), torch.cat([view.flipped for view in fitted]))
    return [*latent_views(pixel_maps(pictures)), moved]


def _fitted(pictures: Tensor, whiten: Whitening, train: Tensor) -> View:
    reach = range(-REACH, REACH + 1)
    moves = [(flipped, down, right) for flipped in (False, True) for down in reach for right in reach]
    middle = pictures.shape[1] // 2
    frames = pictures[:, middle : middle + 1]
    fits = [(whiten(pixel_maps(_moved(frames, *move)))[:, 0] @ train).amax(1) for move in moves]
    best = torch.stack(fits).argmax(0).tolist()
    maps = [pixel_maps(_moved(picture[None], *moves[move])) for picture, move in zip(pictures, best, strict=True)]
    return View(torch.cat(maps), torch.tensor([moves[move][0] for move in best]))


def _moved(pictures: Tensor, flipped: bool, down: int, right: int) -> Tensor:
    """Mirror pictures ``(..., h, w)`` or not, then move them; the last row or column is repeated where they leave."""
    rows = (torch.arange(pictures.shape[-2]) - down).clamp(0, pictures.shape[-2] - 1)
    columns = (torch.arange(pictures.shape[-1]) - right).clamp(0, pictures.shape[-1] - 1)
    turned = pictures.flip(-1) if flipped else pictures
    return turned.index_select(-2, rows).index_select(-1, columns)


def _all(maps: Tensor, flipped: bool) -> Tensor:
    return torch.full((len(maps),), flipped)
