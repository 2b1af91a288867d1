# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Distances of features that have parts, such as those of each random network: one scale, and one distance a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from monai_feat.metrics.functional.frechet import frechet_distance_from_features
from monai_feat.metrics.functional.kernel import kernel_distance
from monai_feat.metrics.functional.rows import as_features, as_two_samples

__all__ = ["Distance", "part_distances", "standardise_features"]

Distance = Literal["kernel", "frechet"]

_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "kernel": kernel_distance,
    "frechet": frechet_distance_from_features,
}
_STEEPNESS = 3.0  # a third of a standard deviation is where linear turns into logarithmic


def standardise_features(real: Tensor, fake: Tensor, resolution: float) -> tuple[Tensor, Tensor]:
    """Bring features of any scale to one, that of the real clips: ``asinh(3 z) / 3`` with ``z = (x - μ) / max(σ, r)``.

    μ and σ are those of the real clips, so that the two sides do not change places. The inverse hyperbolic sine is
    linear near 0 and logarithmic beyond: without it, single features of a corrupted clip, a thousand σ off, would rule
    a cubic kernel. A feature that all real clips share counts by its `resolution`, and not at all where synthetic clips
    share it too.

    Args:
        real: ``(N, D)``, at least two.
        fake: ``(M, D)``.
        resolution: r, differences between clips below which features are not to be read, above 0.

    Returns:
        Both sides in float64.

    Raises:
        ValueError: `resolution` is not above 0; fewer than two real clips; features that are not finite, or another D.

    Example:
        >>> import torch
        >>> real, fake = standardise_features(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [1000.0]]), 0.01)
        >>> fake.flatten()
        tensor([0.0000, 2.7840], dtype=torch.float64)
    """
    if not resolution > 0:
        raise ValueError(f"expected a resolution above 0, got {resolution}")
    real, fake = as_two_samples(real, fake)
    as_features(real, "real features", at_least=2)
    deviation, mean = torch.std_mean(real, dim=0)
    scale = deviation.clamp(min=resolution) / _STEEPNESS
    return torch.asinh((real - mean) / scale) / _STEEPNESS, torch.asinh((fake - mean) / scale) / _STEEPNESS


def part_distances(
    real: Tensor, fake: Tensor, parts: Mapping[str, slice], resolution: float, distance: Distance = "kernel"
) -> dict[str, Tensor]:
    """Return the distance between standardised real and synthetic features within each part, float64 scalars.

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.
        parts: name of each part, and its columns.
        resolution: see :func:`standardise_features`.
        distance: ``"kernel"``, which can be read at any number of clips, or ``"frechet"``, from 1.3 times as many clips
            as a part has features.

    Raises:
        ValueError: there is no such distance, no part, or features are unusable.
    """
    if distance not in get_args(Distance):
        raise ValueError(f"expected distance to be one of {get_args(Distance)}, got {distance!r}")
    if not parts:
        raise ValueError("expected at least one part of features, got none")
    real, fake = standardise_features(real, fake, resolution)
    return {name: _DISTANCES[distance](real[:, part], fake[:, part]) for name, part in parts.items()}
