# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the published feature networks have in common: frozen, in float32, and particular about their pixels."""

from __future__ import annotations

import os
import warnings
from typing import TypeVar

import torch
from torch import Tensor, nn

from monai_feat.metrics.features.base import FeatureNetwork, to_rgb
from monai_feat.metrics.features.weights import PUBLISHED, WeightsError, weights_sha256

__all__ = ["PublishedFeatures", "check_pixels"]

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class PublishedFeatures(FeatureNetwork):
    """Base of the published networks: always in evaluation mode, without gradients, in float32.

    A subclass sets the attributes of `FeatureNetwork` and defines `features`.

    Attributes:
        published: names in `PUBLISHED` of the files that protocols use.
        has_published_weights: whether this one is of such a file.
        preparation: what is done to pixels, for `identity`.
    """

    published: tuple[str, ...]
    preparation: str

    def __init__(self, network: nn.Module, path: str | os.PathLike[str]) -> None:
        """Hold a network that was read from `path`, whose hash becomes part of `identity`."""
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.weights_sha256 = weights_sha256(path)
        self.has_published_weights = self.weights_sha256 in [PUBLISHED[name].sha256 for name in self.published]
        if not self.has_published_weights:
            warnings.warn(
                f"{path}: is not a published file of {self.name} ({', '.join(self.published)}): sha256 "
                f"{self.weights_sha256}; its scores compare with no published ones",
                stacklevel=3,
            )

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """Name, hash of the weights, frames and preparation of pixels."""
        return {
            "name": self.name,
            "weights_sha256": self.weights_sha256,
            "num_frames": self.num_frames or 0,
            "preparation": self.preparation,
        }

    def train(self: ModuleT, mode: bool = True) -> ModuleT:
        """Stay in evaluation mode, whatever a training loop around it asks for."""
        return nn.Module.train(self, False)

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> Tensor:
        """Return features ``(N, D)`` of uint8 clips ``(N, C, T, H, W)`` or frames ``(N, C, H, W)``, grey or RGB.

        Raises:
            TypeError: pixels are not uint8.
            ValueError: the shape is not as described, frames are not square, or T is not `num_frames`.
            WeightsError: the network of this file returns something else than ``(N, D)``.
        """
        check_pixels(pixels, self)
        with torch.autocast(pixels.device.type, enabled=False):
            features = self.features(to_rgb(pixels)).float()
        if features.shape != (len(pixels), self.num_features):
            raise WeightsError(
                f"{self.name}: its file gave features of shape {tuple(features.shape)} for {len(pixels)} inputs, "
                f"expected {(len(pixels), self.num_features)}; it is another network: take the published file"
            )
        return features

    def features(self, pixels: Tensor) -> Tensor:
        """Return features ``(N, D)`` of uint8 RGB pixels that were checked."""
        raise NotImplementedError(f"{type(self).__name__} does not define features")


def check_pixels(pixels: Tensor, network: FeatureNetwork) -> None:
    """Raise one line where pixels are not what a network takes.

    Raises:
        TypeError: they are not uint8.
        ValueError: the number of dimensions or frames is wrong, or frames are not square.
    """
    shape = {"clips": "(B, C, T, H, W)", "frames": "(N, C, H, W)"}[network.takes]
    if pixels.dtype != torch.uint8:
        raise TypeError(f"{network.name}: expected uint8 pixels in [0, 255], got {pixels.dtype}; see to_uint8")
    if pixels.ndim != shape.count(",") + 1:
        raise ValueError(f"{network.name}: expected {network.takes} {shape}, got shape {tuple(pixels.shape)}")
    if pixels.shape[-2] != pixels.shape[-1]:
        raise ValueError(
            f"{network.name}: expected square frames, got {pixels.shape[-2]} x {pixels.shape[-1]}, "
            "which it would squeeze; crop or pad them first"
        )
    if network.takes == "clips" and network.num_frames not in (None, pixels.shape[2]):
        raise ValueError(
            f"{network.name}: expected clips of {network.num_frames} frames, got {pixels.shape[2]}; "
            "cut longer clips and leave out shorter ones"
        )
