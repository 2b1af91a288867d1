# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What hides a copy from a comparison of whole frames: display furniture, another layout, parts in other scenes, greys.

Clips are uint8 ``(C, T, H, W)``; shares are of the sides of a frame.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "blurred",
    "captioned",
    "cropped",
    "half_of",
    "inset",
    "moved",
    "pasted",
    "turned",
    "warped",
    "zoomed",
]

BAR = 8  # a caption bar takes an eighth of the rows
INSET = 0.8
CROP = 0.8
COARSER = 8  # a blurred copy went through an eighth of its size
ZOOMS = (0.7, 1.4)
TURN = 5.0  # degrees to either side
BEND = 1.5  # pixels of 64 to each side, the standard deviation of a warp
DRAWN_REGIONS = 4
WAVES = 4  # rows and columns of the smooth field that warps


def captioned(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """Lay a dark bar with bright marks over the first or the last rows, alike in all frames."""
    rows = max(2, clip.shape[-2] // BAR)
    marks = torch.from_numpy(rng.random((rows, clip.shape[-1])) < 0.3)
    marks[0] = marks[-1] = False
    found = clip.clone()
    top = 0 if rng.random() < 0.5 else clip.shape[-2] - rows
    found[..., top : top + rows, :] = torch.where(marks, 230, 20).to(torch.uint8)
    return found


def inset(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """Show the clip smaller, somewhere on black."""
    height, width = (round(INSET * side) for side in clip.shape[-2:])
    top, left = _corner(clip, (height, width), rng)
    found = torch.zeros_like(clip)
    found[..., top : top + height, left : left + width] = _resized(clip, (height, width))
    return found


def half_of(clip: Tensor, host: Tensor) -> Tensor:
    """Take the left half from the clip, the right one from the host."""
    return torch.cat([clip[..., : clip.shape[-1] // 2], host[..., clip.shape[-1] // 2 :]], dim=-1)


def pasted(clip: Tensor, host: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Paste a region of this share of each side into the host, at any place.

    Of a few places that are drawn, the region is taken from the one that shows most: from black, nothing is copied.
    """
    size = [round(share * side) for side in clip.shape[-2:]]
    regions = [_region(clip, _corner(clip, size, rng), size) for _ in range(DRAWN_REGIONS)]
    top, left = _corner(clip, size, rng)
    found = host.clone()
    found[..., top : top + size[0], left : left + size[1]] = max(regions, key=lambda region: region.float().std())
    return found


def cropped(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """Cut out four fifths of each side, somewhere, and enlarge them."""
    size = [round(CROP * side) for side in clip.shape[-2:]]
    return _resized(_region(clip, _corner(clip, size, rng), size), clip.shape[-2:])


def blurred(clip: Tensor) -> Tensor:
    """Keep the means of 8 x 8 blocks, of a frame of 64, and enlarge them again."""
    coarse = F.interpolate(clip.float().transpose(0, 1), [side // COARSER for side in clip.shape[-2:]], mode="area")
    return _resized(coarse.transpose(0, 1), clip.shape[-2:])


def zoomed(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """Show the clip smaller or larger, by 0.7 to 1.4, about its middle."""
    zoom = math.exp(rng.uniform(*np.log(ZOOMS)))
    return moved(clip, torch.eye(2) / zoom)


def turned(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """Turn the clip about its middle by up to 5° to either side."""
    angle = math.radians(rng.uniform(-TURN, TURN))
    return moved(clip, torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]))


def warped(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """Bend the clip by a smooth field, the same one in all frames."""
    waves = torch.from_numpy(rng.standard_normal((1, 2, WAVES, WAVES), dtype=np.float32)) * 2 * BEND / 64
    bend = F.interpolate(waves, clip.shape[-2:], mode="bicubic", align_corners=True)[0].permute(1, 2, 0)
    return _sampled(clip, F.affine_grid(torch.eye(2, 3)[None], [1, 1, *clip.shape[-2:]], align_corners=False) + bend)


def moved(clip: Tensor, matrix: Tensor, shift: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """Show the clip through a linear map ``(2, 2)`` of places, and a shift to the right and down in half frames."""
    affine = torch.cat([matrix, torch.tensor(shift)[:, None]], dim=1)[None]
    return _sampled(clip, F.affine_grid(affine, [1, 1, *clip.shape[-2:]], align_corners=False))


def _sampled(clip: Tensor, grid: Tensor) -> Tensor:
    frames = clip.float().transpose(0, 1)
    found = F.grid_sample(frames, grid.expand(len(frames), -1, -1, -1), padding_mode="border", align_corners=False)
    return found.round_().clamp_(0, 255).to(torch.uint8).transpose(0, 1)


def _resized(clip: Tensor, size: tuple[int, int] | list[int] | torch.Size) -> Tensor:
    frames = clip.float().transpose(0, 1)
    found = F.interpolate(frames, tuple(size), mode="bilinear", antialias=True)
    return found.round_().clamp_(0, 255).to(torch.uint8).transpose(0, 1)


def _region(clip: Tensor, corner: tuple[int, int], size: list[int]) -> Tensor:
    return clip[..., corner[0] : corner[0] + size[0], corner[1] : corner[1] + size[1]]


def _corner(clip: Tensor, size: tuple[int, int] | list[int], rng: np.random.Generator) -> tuple[int, int]:
    top, left = (int(rng.integers(side - part + 1)) for side, part in zip(clip.shape[-2:], size, strict=True))
    return top, left
