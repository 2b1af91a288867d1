# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Random changes of a clip with its mask: one draw for all frames, so that motion stays motion."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (
    Compose,
    RandAdjustContrast,
    RandCoarseDropout,
    RandGaussianNoise,
    RandGaussianSmooth,
    Randomizable,
    RandomizableTransform,
)
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Augmentation", "ClipAugmentation", "RandAffineFrames", "RandColour"]

Augmentation = Literal["none", "standard", "strong"]


class RandColour(RandomizableTransform):
    """Change brightness, contrast, and the balance and saturation of colours at random.

    x' = clip(g_c · (m + s·(x − m)) · k + b), with m the grey of the pixel, s the saturation, g_c a gain of each
    channel, k the contrast and b the brightness.

    Args:
        prob: probability that anything is done.
        brightness: largest b either way, in shares of the range.
        contrast: largest relative change k − 1 either way.
        balance: largest relative gain g_c − 1 either way.
        saturation: largest relative change s − 1 either way.
    """

    def __init__(
        self,
        prob: float = 0.8,
        brightness: float = 0.15,
        contrast: float = 0.25,
        balance: float = 0.1,
        saturation: float = 0.3,
    ) -> None:
        super().__init__(prob)
        self.limits = {"brightness": brightness, "contrast": contrast, "balance": balance, "saturation": saturation}
        self.drawn: dict[str, Any] = {}

    def randomize(self, data: Any = None) -> None:
        """Draw one change for clips of as many channels as `data`."""
        super().randomize(None)
        self.drawn = {
            name: self.R.uniform(-limit, limit, len(data) if name == "balance" else None)
            for name, limit in self.limits.items()
        }

    def __call__(self, clip: Tensor, randomize: bool = True) -> Tensor:
        """Change a clip ``(C, T, H, W)`` in [0, 1]."""
        if randomize:
            self.randomize(clip)
        if not self._do_transform:
            return clip
        if len(clip) == 3:
            clip = torch.lerp(clip.mean(0, keepdim=True), clip, 1 + self.drawn["saturation"])
        gains = (1 + self.drawn["contrast"]) * (1 + torch.as_tensor(self.drawn["balance"], dtype=clip.dtype))
        changed: Tensor = clip * gains.reshape(-1, 1, 1, 1) + self.drawn["brightness"]
        return changed.clamp(0, 1)


class RandAffineFrames(RandomizableTransform):
    """Mirror, turn, shear, zoom and shift all frames by one random affine map about their centre.

    MONAI's ``RandAffine`` does the same in ten times the time, as long as a training step of a small network.

    Args:
        prob: probability that anything but mirroring is done; that has the probability ½.
        rotate: largest turn either way, radians.
        shear: largest shear either way, columns per row.
        zoom: largest relative change of the size either way, under 1.
        translate: largest shift either way along each axis, in shares of the frame.
    """

    def __init__(
        self, prob: float = 0.8, rotate: float = 0.2, shear: float = 0.0, zoom: float = 0.1, translate: float = 0.06
    ) -> None:
        super().__init__(prob)
        if not 0 <= zoom < 1:
            raise ValueError(f"expected zoom in [0, 1), got {zoom}")
        self.rotate, self.shear, self.zoom, self.translate = rotate, shear, zoom, translate
        self.matrix = torch.eye(2, 3)  # from the new frame to the old, rows (x, y), each from -1 to 1 over the frame

    def randomize(self, data: Any = None) -> None:
        """Draw one map."""
        super().randomize(None)
        mirror = 1.0 - 2.0 * (self.R.rand() < 0.5)
        angle, shear = self.R.uniform(-self.rotate, self.rotate), self.R.uniform(-self.shear, self.shear)
        zoom = 1 + self.R.uniform(-self.zoom, self.zoom)
        shift = 2 * self.R.uniform(-self.translate, self.translate, 2)
        if not self._do_transform:
            angle, shear, zoom, shift = 0.0, 0.0, 1.0, 0.0 * shift
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = turn @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag([mirror, 1.0]) / zoom
        self.matrix = torch.as_tensor(np.column_stack([linear, shift]), dtype=torch.float32)

    def __call__(self, clip: Tensor, mode: str = "bilinear", randomize: bool = True) -> Tensor:
        """Map ``(C, T, H, W)``: pixels with ``"bilinear"``, labels with ``"nearest"``; 0 comes in from outside.

        On frames that are not squares the map is that of the square, stretched.
        """
        if randomize:
            self.randomize()
        frames = clip.reshape(1, -1, *clip.shape[-2:]).float()
        grid = F.affine_grid(self.matrix[None], list(frames.shape), align_corners=False)
        mapped = F.grid_sample(frames, grid, mode, "zeros", align_corners=False)
        return mapped.reshape(clip.shape).to(clip.dtype)


def _shades(size: int) -> list[Any]:
    """MONAI's transforms of what is strong besides colour, on frames as channels."""
    blur = (0.3, 1.5)  # pixels
    smallest, largest = max(1, size // 16), max(2, size // 4)
    return [
        RandAdjustContrast(prob=0.5, gamma=(0.6, 1.6)),
        RandGaussianSmooth(blur, blur, prob=0.3),
        RandGaussianNoise(prob=0.3, std=0.06),
        RandCoarseDropout(1, smallest, max_holes=4, max_spatial_size=largest, fill_value=0.0, prob=0.4),
    ]


class ClipAugmentation(Randomizable):
    """Augment clips with their masks, in two steps that can be taken apart: `move`, then `shade`.

    ``"standard"`` mirrors, turns, shifts and zooms a little, and changes brightness and contrast; ``"strong"`` does all
    of it further, shears, and adds colour, gamma, blur, noise and cutout; ``"none"`` changes nothing. Gamma, blur,
    noise and cutout are MONAI's transforms.

    Args:
        strength: one of the three.
        size: rows and columns of the frames.

    Raises:
        ValueError: the strength is unknown.
    """

    def __init__(self, strength: Augmentation, size: int) -> None:
        if strength not in get_args(Augmentation):
            raise ValueError(f"expected augmentation to be one of {get_args(Augmentation)}, got {strength!r}")
        self.strength = strength
        strong = strength == "strong"
        self.affine = RandAffineFrames(0.9, 0.5, 0.15, 0.3, 0.12) if strong else RandAffineFrames()
        self.colour = RandColour(0.8, 0.2, 0.3, 0.15, 0.4) if strong else RandColour(0.8, 0.1, 0.15, 0.0, 0.0)
        self.shades = Compose(_shades(size) if strong else [])

    def set_random_state(self, seed: int | None = None, state: Any = None) -> ClipAugmentation:
        """Seed all draws."""
        super().set_random_state(seed, state)
        for number, part in enumerate((self.affine, self.colour, self.shades)):
            part.set_random_state(None if seed is None else seed + number, state)
        return self

    def move(self, clip: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Change the geometry of a clip ``(C, T, H, W)`` in [0, 1] and of its mask ``(1, T, H, W)``, black outside."""
        if self.strength == "none":
            return clip, label
        moved = self.affine(clip)
        return moved, None if label is None else self.affine(label, mode="nearest", randomize=False)

    def shade(self, clip: Tensor) -> Tensor:
        """Change brightness, colour and grain of a clip ``(C, T, H, W)`` in [0, 1]."""
        if self.strength == "none":
            return clip
        shaded = self.shades(self.colour(clip).flatten(0, 1))
        return (shaded.as_tensor() if isinstance(shaded, MetaTensor) else shaded).reshape(clip.shape).clamp(0, 1)
