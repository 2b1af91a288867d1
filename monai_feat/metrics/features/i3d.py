# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""I3D, the network of the Fréchet video distance."""

from __future__ import annotations

import os

from torch import Tensor

from monai_feat.metrics.features.published import PublishedFeatures
from monai_feat.metrics.features.torchscript import load_torchscript

__all__ = ["I3DFeatures"]

FEWEST_FRAMES = 10  # the last pooling wants two steps of time, which was divided by 8 before


class I3DFeatures(PublishedFeatures):
    """The 400 logits of Kinetics-400 of StyleGAN-V's I3D: what a published FVD is measured on.

    Source: Carreira & Zisserman 2017 (I3D), Unterthiner et al. 2018 (FVD), Skorokhodov et al. 2022 (StyleGAN-V), whose
    TorchScript is called as there: pixels in [0, 255], ``rescale=True, resize=True, return_features=True``. It resizes
    frames to 224 px and maps them to [-1, 1] itself. Square frames, since StyleGAN-V's data sets refuse others.

    Args:
        path: of the TorchScript, ``fetch_weights("i3d")``.
        num_frames: frames of a clip, at least 10; the protocol's FVD has 16.
        trust_script: run the file though it is not the published one, see `load_torchscript`.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is damaged, another network, or a program that is neither published nor trusted.
        ValueError: `num_frames` is too small.
    """

    name = "i3d"
    takes = "clips"
    num_features = 400
    published = ("i3d",)
    preparation = "in the TorchScript: resize=True, rescale=True"

    def __init__(self, path: str | os.PathLike[str], num_frames: int = 16, trust_script: bool = False) -> None:
        if num_frames < FEWEST_FRAMES:
            raise ValueError(f"i3d: expected clips of at least {FEWEST_FRAMES} frames, got num_frames={num_frames}")
        super().__init__(load_torchscript(path, ("rescale", "resize", "return_features"), trust_script), path)
        self.num_frames = num_frames

    def features(self, pixels: Tensor) -> Tensor:
        """Return logits ``(B, 400)`` of RGB clips ``(B, 3, T, H, W)``."""
        logits: Tensor = self.network(pixels.float(), rescale=True, resize=True, return_features=True)
        return logits  # (B, 400)
