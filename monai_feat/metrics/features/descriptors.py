# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Classical descriptors of clips as a feature network without weights."""

from __future__ import annotations

import torch
from torch import Tensor

from monai_feat.metrics.features.base import FeatureNetwork, to_rgb
from monai_feat.metrics.functional.clips import check_clips, luma
from monai_feat.metrics.functional.descriptors import (
    colour_descriptors,
    spectrum_descriptors,
    temporal_descriptors,
    texture_descriptors,
)

__all__ = ["DescriptorFeatures"]

_VERSION = 1  # raise it with anything that moves a feature
_MIN_FRAMES = 3  # a bend needs three
_MIN_SIDE = 32


class DescriptorFeatures(FeatureNetwork):
    """Classical numbers of a clip: its texture, colour, spectrum and temporal behaviour, each with a name.

    There is nothing random and nothing learnt in them, and a difference can be traced to a name. They are oversensitive
    to codecs, and know nothing of anatomy. Clips are measured at the size and frame rate they have, from 32 x 32 px and
    three frames: compare clips of one size and one frame rate. Grey clips share one value in every number of colour.

    Attributes:
        names: of the columns.
        parts: the columns of ``texture``, ``colour``, ``spectrum`` and ``temporal``, as slices.
        resolution: differences between clips that are not to be read below, for
            :func:`~monai_feat.metrics.functional.standardise_features`: 1 % in amplitude, 2.5 of 255 in brightness.

    Example:
        >>> descriptors = DescriptorFeatures()
        >>> features = descriptors(torch.zeros(2, 3, 16, 64, 64, dtype=torch.uint8))
        >>> features.shape[1] == descriptors.num_features == len(descriptors.names)
        True
        >>> list(descriptors.parts)
        ['texture', 'colour', 'spectrum', 'temporal']
    """

    resolution = 1e-2

    def __init__(self) -> None:
        super().__init__()
        self.name = "descriptors"
        described = _describe(torch.zeros(1, 1, _MIN_FRAMES, _MIN_SIDE, _MIN_SIDE, dtype=torch.uint8))
        self.names = tuple(f"{part}.{name}" for part, values in described.items() for name in values)
        self.num_features = len(self.names)
        self.parts: dict[str, slice] = {}
        start = 0
        for part, values in described.items():
            self.parts[part] = slice(start, start + len(values))
            start += len(values)

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """Version of the definitions; there are no weights, and pixels are taken as they are."""
        return {"name": self.name, "version": _VERSION, "resolution": self.resolution}

    def forward(self, pixels: Tensor) -> Tensor:
        """Return descriptors ``(B, D)`` of uint8 clips ``(B, C, T, H, W)``, in the order of `names`.

        Raises:
            TypeError: the pixels are not uint8.
            ValueError: there are neither one nor three channels, fewer than three frames, or less than 32 x 32 pixels.
        """
        check_clips(pixels, min_frames=_MIN_FRAMES, min_side=_MIN_SIDE)
        described = _describe(pixels)
        return torch.stack([value for values in described.values() for value in values.values()], dim=1)


def _describe(pixels: Tensor) -> dict[str, dict[str, Tensor]]:
    grey = luma(pixels)[:, 0] / 255  # (B, T, H, W)
    return {
        "texture": texture_descriptors(grey),
        "colour": colour_descriptors(to_rgb(pixels).float() / 255),
        "spectrum": spectrum_descriptors(grey),
        "temporal": temporal_descriptors(grey),
    }
