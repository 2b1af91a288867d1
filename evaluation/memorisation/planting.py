# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Copies of training clips as a generator that memorised would make them, to see whether the gate finds them.

A video is the training clip with a few frames before and after it, ``(C, 4 + T + 4, H, W)``, so that a copy can start
earlier or later.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.data import read_video, write_mp4

__all__ = ["MARGIN", "PLANTS", "plant", "take_clip"]

MARGIN = 4  # frames of a video before and after the training clip
NOISE = 0.05  # standard deviation, as a part of the range of grey levels
MOVE = 2.0  # pixels to each side, of which a copy is moved by any fraction
COARSE = 35  # rate factor of H.264 at which blocks are plain to see; 16 looks lossless

Plant = Callable[[Tensor, np.random.Generator], Tensor]


def plant(kind: str, video: Tensor, rng: np.random.Generator) -> Tensor:
    """Return a copy, of a kind in `PLANTS`, of the training clip in a video.

    Args:
        kind: what happened to the copy.
        video: uint8 ``(C, 4 + T + 4, H, W)``.
        rng: decides noise and shift.

    Returns:
        uint8 ``(C, T, H, W)``.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in PLANTS:
        raise ValueError(f"unknown kind of copy {kind!r}; the known ones are {sorted(PLANTS)}")
    return PLANTS[kind](video, rng)


def take_clip(video: Tensor, offset: int = 0) -> Tensor:
    """Cut the training clip from its video, or the clip that starts up to four frames later, or earlier."""
    return video[:, MARGIN + offset : video.shape[1] - MARGIN + offset]


def _shifted(video: Tensor, rng: np.random.Generator) -> Tensor:
    return take_clip(video, int(rng.integers(1, MARGIN + 1)) * int(rng.choice([-1, 1])))


def _moved(clip: Tensor, rng: np.random.Generator) -> Tensor:
    right, down = (2 * rng.uniform(-MOVE, MOVE) / side for side in (clip.shape[-1], clip.shape[-2]))
    affine = torch.tensor([[[1.0, 0.0, right], [0.0, 1.0, down]]]).expand(clip.shape[1], 2, 3)
    frames = clip.float().transpose(0, 1)
    grid = F.affine_grid(affine, list(frames.shape), align_corners=False)
    moved = F.grid_sample(frames, grid, padding_mode="border", align_corners=False)
    return moved.round_().clamp_(0, 255).to(torch.uint8).transpose(0, 1)


def _noisy(clip: Tensor, rng: np.random.Generator) -> Tensor:
    noise = torch.from_numpy(rng.standard_normal(tuple(clip.shape), dtype=np.float32))
    return (clip.float() + NOISE * 255 * noise).round_().clamp_(0, 255).to(torch.uint8)


def _recompressed(clip: Tensor) -> Tensor:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_mp4(clip, path, frame_rate=16.0, crf=COARSE)
        return read_video(path)[: clip.shape[0], :, : clip.shape[2], : clip.shape[3]]


def _brighter(clip: Tensor) -> Tensor:
    return (1.1 * clip.float() + 10).round_().clamp_(0, 255).to(torch.uint8)


PLANTS: dict[str, Plant] = {
    "exact": lambda video, rng: take_clip(video),
    "recompressed": lambda video, rng: _recompressed(take_clip(video)),
    "mirrored": lambda video, rng: take_clip(video).flip(-1),
    "shifted by 1 to 4 frames": _shifted,
    "5 % noise": lambda video, rng: _noisy(take_clip(video), rng),
    "brighter by 10 %": lambda video, rng: _brighter(take_clip(video)),
    "moved by up to 2 pixels": lambda video, rng: _moved(take_clip(video), rng),
    "all of these": lambda video, rng: _recompressed(
        _noisy(_brighter(_moved(_shifted(video, rng), rng)).flip(-1), rng)
    ),
}
