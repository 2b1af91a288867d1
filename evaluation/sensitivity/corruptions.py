# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Nine ways in which generated clips go wrong, at four strengths each, done to real clips.

A distance that is to be believed must grow with each of them. The draws of one seed are nested: a stronger level moves
the same pixels or frames further, so that levels differ by strength and not by luck. Blur and warping are given in
percent of the frame's shorter side and look alike at any size.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch import Generator, Tensor
from torch.nn import functional as F

from monai_feat.transforms.video.functional import frame_offsets, to_and_fro

__all__ = [
    "CORRUPTIONS",
    "Corruption",
    "blur",
    "choose_few",
    "compress",
    "flicker",
    "freeze",
    "noise",
    "shuffle",
    "speed_up",
    "warp",
]

_SIDE_IN_CELLS = 4  # of the grid of control points of warping


@dataclass(frozen=True)
class Corruption:
    """One way in which clips go wrong, at growing strengths.

    Attributes:
        title: for people.
        kind: what it spoils: single frames, their order and timing, or the variety of the set.
        unit: of the strengths.
        strengths: weakest first; levels 1, 2, 3 and 4.
        change: what it does to a clip ``(C, T, H, W)``, given a strength and a generator; None leaves clips alone.
        choose: which clips of a set of n are shown, int64 ``(n,)``, given a strength and a generator; None shows all.
    """

    title: str
    kind: Literal["frames", "time", "set"]
    unit: str
    strengths: tuple[float, ...]
    change: Callable[[Tensor, float, Generator], Tensor] | None = None
    choose: Callable[[int, float, Generator], Tensor] | None = None

    def strength(self, level: int) -> float:
        """Return the strength of a level, 1 to ``len(strengths)``.

        Raises:
            ValueError: there is no such level.
        """
        if not 1 <= level <= len(self.strengths):
            raise ValueError(f"{self.title}: expected a level from 1 to {len(self.strengths)}, got {level}")
        return self.strengths[level - 1]

    def clip(self, clip: Tensor, level: int, seed: int = 0) -> Tensor:
        """Corrupt one clip.

        Args:
            clip: uint8 ``(C, T, H, W)`` in [0, 255], grey or RGB, at least two frames; it stays as it is.
            level: 1 to ``len(strengths)``.
            seed: decides the random draws; the same for all levels of one clip.

        Returns:
            uint8 ``(C, T, H, W)``.

        Raises:
            TypeError: the clip is not uint8.
            ValueError: its shape is not as described, or there is no such level.
        """
        strength = self.strength(level)
        _check_clip(clip)
        return clip if self.change is None else self.change(clip, strength, Generator().manual_seed(seed))

    def indices(self, count: int, level: int, seed: int = 0) -> Tensor:
        """Return which of `count` clips the corrupted set shows, int64 ``(count,)``."""
        strength = self.strength(level)
        if self.choose is None:
            return torch.arange(count)
        return self.choose(count, strength, Generator().manual_seed(seed))


def blur(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """Gaussian blur of each frame; `strength` is its standard deviation in percent of the shorter side."""
    del generator
    sigma = strength / 100 * min(clip.shape[-2:])
    radius = max(1, round(3 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = kernel / kernel.sum()
    frames = clip.reshape(-1, 1, *clip.shape[-2:]).float()  # (C·T, 1, H, W)
    frames = F.conv2d(F.pad(frames, (radius, radius, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    frames = F.conv2d(F.pad(frames, (0, 0, radius, radius), mode="replicate"), kernel.view(1, 1, -1, 1))
    return _to_bytes(frames).reshape(clip.shape)


def noise(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """White Gaussian noise; `strength` is its standard deviation in levels of 255."""
    return _to_bytes(clip.float() + strength * torch.randn(clip.shape, generator=generator))


def flicker(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """Another brightness for each frame; `strength` is the standard deviation of the gain in percent."""
    gain = 1 + strength / 100 * torch.randn(clip.shape[1], generator=generator)
    return _to_bytes(clip.float() * gain.view(-1, 1, 1))


def shuffle(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """Frames out of order; each lands at most `strength` frames from where it was."""
    place = torch.arange(clip.shape[1]) + strength * torch.rand(clip.shape[1], generator=generator)
    return clip[:, place.argsort()]


def freeze(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """Frames that repeat the one before; `strength` is their share in percent."""
    count = clip.shape[1]
    repeats = 1 + torch.randperm(count - 1, generator=generator)[: round(strength / 100 * (count - 1))]
    shown = torch.arange(count)
    shown[repeats] = 0
    return clip[:, shown.cummax(0).values]


def speed_up(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """Motion `strength` times as fast, by leaving out frames; at its end the clip is played backwards."""
    del generator
    return clip[:, to_and_fro(frame_offsets(clip.shape[1], strength), clip.shape[1])]


def warp(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """One smooth deformation of the whole clip; `strength` is its standard deviation in percent of the shorter side."""
    height, width = clip.shape[-2:]
    control = torch.randn((1, 2, _SIDE_IN_CELLS + 1, _SIDE_IN_CELLS + 1), generator=generator)
    shift = F.interpolate(control, (height, width), mode="bicubic", align_corners=True)[0]  # (2, H, W)
    shift = shift * strength / 100 * min(height, width)
    # Splines of fifth order keep fine detail; by cubic ones, every level would also be a blur, and hardly any more.
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    places = np.stack([rows + shift[1].numpy(), columns + shift[0].numpy()])  # (2, H, W)
    frames = clip.reshape(-1, height, width).double().numpy()  # (C·T, H, W)
    warped = np.stack([ndimage.map_coordinates(frame, places, order=5, mode="nearest") for frame in frames])
    return _to_bytes(torch.from_numpy(warped)).reshape(clip.shape)


def compress(clip: Tensor, strength: float, generator: Generator) -> Tensor:
    """JPEG of each frame at quality ``100 - strength``."""
    del generator
    return torch.stack([_jpeg(frame, round(100 - strength)) for frame in clip.unbind(1)], dim=1)


def choose_few(count: int, strength: float, generator: Generator) -> Tensor:
    """Show few clips again and again, as a generator does that has collapsed; `strength` is the share lost in percent.

    Returns:
        Which of `count` clips are shown, int64 ``(count,)``.
    """
    kept = max(1, round((1 - strength / 100) * count))
    return torch.randperm(count, generator=generator)[:kept].repeat(-(-count // kept))[:count]


CORRUPTIONS: dict[str, Corruption] = {
    "blur": Corruption("Blur", "frames", "% of side", (0.8, 1.2, 2.0, 4.0), change=blur),
    "noise": Corruption("Noise", "frames", "levels", (4.0, 8.0, 16.0, 32.0), change=noise),
    "warp": Corruption("Warping", "frames", "% of side", (1.0, 2.0, 4.0, 8.0), change=warp),
    "compression": Corruption("Compression", "frames", "100 - quality", (25.0, 50.0, 75.0, 90.0), change=compress),
    "flicker": Corruption("Flicker", "time", "% of gain", (2.0, 4.0, 8.0, 16.0), change=flicker),
    "shuffle": Corruption("Shuffled frames", "time", "frames", (2.0, 4.0, 8.0, 32.0), change=shuffle),
    "freeze": Corruption("Frozen frames", "time", "% of frames", (12.5, 25.0, 50.0, 75.0), change=freeze),
    "speed": Corruption("Speed", "time", "times", (1.25, 1.5, 2.0, 3.0), change=speed_up),
    "collapse": Corruption("Collapse", "set", "% of clips lost", (50.0, 75.0, 87.5, 95.0), choose=choose_few),
}


def _check_clip(clip: Tensor) -> None:
    if clip.dtype != torch.uint8:
        raise TypeError(f"expected a uint8 clip, got {clip.dtype}; see monai_feat.transforms.functional.to_uint8")
    if clip.ndim != 4 or clip.shape[0] not in (1, 3) or clip.shape[1] < 2:
        raise ValueError(
            f"expected a grey or RGB clip (C, T, H, W) of at least two frames, got shape {tuple(clip.shape)}"
        )


def _to_bytes(pixels: Tensor) -> Tensor:
    return pixels.round().clamp(0, 255).to(torch.uint8)


def _jpeg(frame: Tensor, quality: int) -> Tensor:
    """Write a frame ``(C, H, W)`` as JPEG and read it again."""
    picture = Image.fromarray(frame[0].numpy() if len(frame) == 1 else frame.permute(1, 2, 0).contiguous().numpy())
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    read = torch.from_numpy(np.array(Image.open(file)))
    return read[None] if len(frame) == 1 else read.permute(2, 0, 1)
