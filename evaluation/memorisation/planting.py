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

from monai_feat.data import read_video, write_mp4

from . import disguises

__all__ = ["DISGUISED", "MARGIN", "PLAIN", "PLANTS", "plant", "take_clip"]

MARGIN = 4  # frames of a video before and after the training clip
NOISE = 0.05  # standard deviation, as a part of the range of grey levels
MOVE = 2.0  # pixels to each side, of which a copy is moved by any fraction
COARSE = 35  # rate factor of H.264 at which blocks are plain to see; 16 looks lossless

Plant = Callable[[Tensor, Tensor, np.random.Generator], Tensor]


def plant(kind: str, video: Tensor, host: Tensor, rng: np.random.Generator) -> Tensor:
    """Return a copy, of a kind in `PLANTS`, of the training clip in a video.

    Args:
        kind: what happened to the copy.
        video: uint8 ``(C, 4 + T + 4, H, W)``.
        host: a clip of another patient, uint8 ``(C, T, H, W)``, into which parts are copied.
        rng: decides noise, shifts and places.

    Returns:
        uint8 ``(C, T, H, W)``.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in PLANTS:
        raise ValueError(f"unknown kind of copy {kind!r}; the known ones are {sorted(PLANTS)}")
    return PLANTS[kind](video, host, rng)


def take_clip(video: Tensor, offset: int = 0) -> Tensor:
    """Cut the training clip from its video, or the clip that starts up to four frames later, or earlier."""
    return video[:, MARGIN + offset : video.shape[1] - MARGIN + offset]


def _shifted(video: Tensor, rng: np.random.Generator) -> Tensor:
    return take_clip(video, int(rng.integers(1, MARGIN + 1)) * int(rng.choice([-1, 1])))


def _moved(clip: Tensor, rng: np.random.Generator) -> Tensor:
    right, down = (2 * rng.uniform(-MOVE, MOVE) / side for side in (clip.shape[-1], clip.shape[-2]))
    return disguises.moved(clip, torch.eye(2), (right, down))


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


PLAIN: dict[str, Plant] = {
    "exact": lambda video, host, rng: take_clip(video),
    "recompressed": lambda video, host, rng: _recompressed(take_clip(video)),
    "mirrored": lambda video, host, rng: take_clip(video).flip(-1),
    "shifted by 1 to 4 frames": lambda video, host, rng: _shifted(video, rng),
    "5 % noise": lambda video, host, rng: _noisy(take_clip(video), rng),
    "brighter by 10 %": lambda video, host, rng: _brighter(take_clip(video)),
    "moved by up to 2 pixels": lambda video, host, rng: _moved(take_clip(video), rng),
    "all of these": lambda video, host, rng: _recompressed(
        _noisy(_brighter(_moved(_shifted(video, rng), rng)).flip(-1), rng)
    ),
}

DISGUISED: dict[str, Plant] = {
    "caption bar over 1/8 of the rows": lambda video, host, rng: disguises.captioned(take_clip(video), rng),
    "inset at 80 %": lambda video, host, rng: disguises.inset(take_clip(video), rng),
    "left half copied": lambda video, host, rng: disguises.half_of(take_clip(video), host),
    "56 % of the area pasted": lambda video, host, rng: disguises.pasted(take_clip(video), host, 0.75, rng),
    "25 % of the area pasted": lambda video, host, rng: disguises.pasted(take_clip(video), host, 0.5, rng),
    "upside down": lambda video, host, rng: take_clip(video).flip(-2),
    "inverted": lambda video, host, rng: 255 - take_clip(video),
    "blurred through 1/8 size": lambda video, host, rng: disguises.blurred(take_clip(video)),
    "cropped to 80 %": lambda video, host, rng: disguises.cropped(take_clip(video), rng),
    "zoomed by 0.7 to 1.4": lambda video, host, rng: disguises.zoomed(take_clip(video), rng),
    "turned by up to 5°": lambda video, host, rng: disguises.turned(take_clip(video), rng),
    "warped": lambda video, host, rng: disguises.warped(take_clip(video), rng),
}

PLANTS = PLAIN | DISGUISED
