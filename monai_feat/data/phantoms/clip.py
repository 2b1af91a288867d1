# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What every procedural clip has in common: its container, its pixel grid and smooth motion in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MIN_SIZE = 16


@dataclass(frozen=True)
class PhantomClip:
    """One procedural clip with its exact truth.

    Attributes:
        image: Pixels, uint8, shape ``(C, T, H, W)``; 3 channels are RGB, 1 is grey.
        mask: Truth, uint8 in {0, 1}, shape ``(1, T, H, W)``.
        frame_rate: Frames per second, Hz.
        attributes: Exact scene parameters by name; each generator documents its own and their units.
    """

    image: Tensor
    mask: Tensor
    frame_rate: float
    attributes: dict[str, float]


def parse_request(seed: int, size: int | Sequence[int], num_frames: int, frame_rate: float) -> tuple[int, int]:
    """Check the arguments that all generators share and return ``(H, W)``.

    Args:
        seed: Non-negative integer that fixes the whole scene.
        size: Height and width in pixels, or one integer for a square.
        num_frames: Frames to render, at least 1.
        frame_rate: Frames per second, Hz, positive.

    Raises:
        ValueError: A value is out of range; the message says which and what is allowed.
    """
    sides = (size, size) if isinstance(size, int) else tuple(size)
    parse_seed(seed)
    if len(sides) != 2:
        raise ValueError(f"size must be one integer or (height, width), got {size}")
    if min(sides) < MIN_SIZE:
        raise ValueError(f"size must be at least {MIN_SIZE} pixels in height and width, got {size}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    if not frame_rate > 0:
        raise ValueError(f"frame_rate must be positive (Hz), got {frame_rate}")
    return sides[0], sides[1]


def parse_seed(seed: int) -> int:
    """Return a seed as it is.

    Raises:
        ValueError: The seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed must be a non-negative integer, got {seed}")
    return seed


def pixel_grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Coordinates ``(x, y)`` of pixel centres, each ``(H, W)``, in units of half the shorter side, 0 at the centre."""
    unit = min(height, width) / 2
    y = (torch.arange(height, dtype=torch.float32) + 0.5 - height / 2) / unit
    x = (torch.arange(width, dtype=torch.float32) + 0.5 - width / 2) / unit
    return x.expand(height, width), y[:, None].expand(height, width)


def frame_times(num_frames: int, frame_rate: float) -> Tensor:
    """Time of each frame in seconds, shape ``(T, 1, 1)`` so that it broadcasts against a pixel grid."""
    return (torch.arange(num_frames, dtype=torch.float32) / frame_rate).reshape(-1, 1, 1)


@dataclass(frozen=True)
class Drift:
    """A smooth wander in time: the sum of three slow sinusoids, zero on average.

    Attributes:
        amplitudes: Amplitude of each sinusoid, in the unit of what wanders.
        frequencies: Frequency of each, Hz.
        phases: Phase of each, radians.
    """

    amplitudes: tuple[float, ...]
    frequencies: tuple[float, ...]
    phases: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, amplitude: float, highest_frequency: float = 0.6) -> Drift:
        """Draw a wander whose excursions stay within ``amplitude``; slower sinusoids swing wider."""
        shares = amplitude * np.array([0.55, 0.3, 0.15])
        frequencies = highest_frequency * rng.uniform([0.1, 0.3, 0.6], [0.3, 0.6, 1.0])
        phases = rng.uniform(0, 2 * np.pi, 3)
        return cls(tuple(shares.tolist()), tuple(frequencies.tolist()), tuple(phases.tolist()))

    def at(self, times: Tensor) -> Tensor:
        """Excursion at ``times`` (seconds, any shape)."""
        terms = zip(self.amplitudes, self.frequencies, self.phases, strict=True)
        return torch.stack([a * torch.sin(2 * torch.pi * f * times + p) for a, f, p in terms]).sum(0)


def smoothstep(x: Tensor, low: float, high: float) -> Tensor:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``: 3u² − 2u³ on the clamped ramp u."""
    u = ((x - low) / (high - low)).clamp_(0, 1)
    return u * u * (3 - 2 * u)


def to_uint8(image: Tensor) -> Tensor:
    """Round intensities in [0, 1] to uint8."""
    return (image.clamp(0, 1) * 255).round_().to(torch.uint8)
