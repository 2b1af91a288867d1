# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What every feature network promises, and the checks of what it returns."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["FeatureNetwork", "check_features", "to_rgb"]


class FeatureNetwork(nn.Module):
    """Base of the networks that turn uint8 pixels into one feature vector per clip, or per frame.

    A subclass takes pixels as they are in a file and prepares them itself, exactly as its protocol says, so that no
    caller can do it otherwise.

    Attributes:
        name: short and stable, such as ``i3d``; names scores and cache entries.
        takes: ``"clips"`` for ``(B, C, T, H, W)`` to ``(B, D)``; ``"frames"`` for ``(N, C, H, W)`` to ``(N, D)``.
        num_features: D.
        num_frames: frames T that a clip must have, or None where any number will do.
    """

    name: str
    takes: Literal["clips", "frames"] = "clips"
    num_features: int
    num_frames: int | None = None

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """Everything about this network that moves a score: weights' hash or seed, and how pixels are prepared."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it is; define its property identity")

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features ``(B, D)`` of uint8 clips ``(B, C, T, H, W)``, or of frames where `takes` says so."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")


def to_rgb(pixels: Tensor) -> Tensor:
    """Return pixels ``(N, 3, ...)``: grey ``(N, 1, ...)`` is repeated, RGB stays as it is.

    Raises:
        ValueError: there are neither one nor three channels.
    """
    if pixels.shape[1] not in (1, 3):
        raise ValueError(f"expected grey or RGB pixels (N, 1 or 3, ...), got shape {tuple(pixels.shape)}")
    return pixels if pixels.shape[1] == 3 else pixels.expand(-1, 3, *(-1 for _ in pixels.shape[2:]))


def check_features(features: Tensor, count: int, name: str) -> Tensor:
    """Return features as they are if they are one finite vector for each of `count` clips or frames.

    Args:
        features: what a feature network returned.
        count: clips or frames that it was given.
        name: of the network, for messages.

    Raises:
        ValueError: there are not two dimensions, not `count` rows, or values that are not finite.
    """
    if features.ndim != 2 or len(features) != count:
        raise ValueError(
            f"feature network {name}: expected features (N, D) with N = {count}, got shape {tuple(features.shape)}; "
            "average over the further dimensions, or take another output of the network"
        )
    if not torch.isfinite(features).all():
        bad = int((~torch.isfinite(features)).any(dim=1).sum())
        raise ValueError(
            f"feature network {name}: the features of {bad} of {count} inputs are NaN or infinite; "
            "look at these clips, and at the network's weights"
        )
    return features
