# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Distances of real and synthetic clips that need no download; see docs/offline_distances.md for what they see.

Neither is FVD, and their numbers compare with no published ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
from torch import Tensor

from monai_feat.metrics.feature_metric import FeatureSampleMetric
from monai_feat.metrics.features.descriptors import DescriptorFeatures
from monai_feat.metrics.features.random_video import RandomVideoFeatures
from monai_feat.metrics.functional.frechet import frechet_is_meaningful
from monai_feat.metrics.functional.parts import Distance, part_distances

__all__ = ["DescriptorVideoDistance", "RandomFeatureVideoDistance"]


class _PartsMetric(FeatureSampleMetric):
    """A distance within each part of features that have parts."""

    network: RandomVideoFeatures | DescriptorFeatures
    distance: Distance

    def __init__(
        self,
        network: RandomVideoFeatures | DescriptorFeatures,
        distance: Distance,
        reset_real_features: bool,
        **kwargs: Any,
    ) -> None:
        if distance not in get_args(Distance):
            raise ValueError(f"expected distance to be one of {get_args(Distance)}, got {distance!r}")
        super().__init__(network, reset_real_features, **kwargs)
        self.distance = distance

    def part_distances(self) -> dict[str, Tensor]:
        """Return the distance within each part, float64 scalars; warns where there are too few clips to read it."""
        real, fake = self.samples()
        if self.distance == "frechet":
            self._warn_if_meaningless(len(real), len(fake), self.network.parts)
        return part_distances(real, fake, self.network.parts, self.network.resolution, self.distance)

    def _warn_if_meaningless(self, num_real: int, num_fake: int, parts: Mapping[str, slice]) -> None:
        widest = max(part.stop - part.start for part in parts.values())
        if not frechet_is_meaningful(num_real, num_fake, widest):
            warnings.warn(
                f"a Fréchet distance of {widest} features is not meaningful with {num_real} real and {num_fake} fake "
                f'clips, it takes 1.3 times as many clips as features; use {type(self).__name__}(distance="kernel")',
                stacklevel=4,
            )


class RandomFeatureVideoDistance(_PartsMetric):
    """Distance of the features of seeded random networks, averaged over the networks; not FVD.

    Source: :class:`RandomVideoFeatures` for the features, :func:`~monai_feat.metrics.functional.part_distances` for the
    distance of each network, which standardises by the real clips. How strongly one network answers to a fault varies
    with its seed, hence the average over four. Clips are uint8 ``(B, 1 or 3, T, H, W)``, T at least 2, at least
    32 x 32 px.

    Args:
        seeds: of the networks.
        distance: ``"kernel"``: unbiased, 0 on average between samples of one law at any number of clips, may fall
            below 0; or ``"frechet"``, from 250 clips on each side.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: seeds or distance are not as described; in `compute`, a side has fewer than two clips.

    Example:
        >>> import torch
        >>> distance = RandomFeatureVideoDistance(seeds=(0, 1))
        >>> real = torch.randint(0, 256, (6, 1, 3, 32, 32), dtype=torch.uint8)
        >>> distance.update(real, real=True)
        >>> distance.update(real // 2, real=False)
        >>> bool(distance.compute() > 1)
        True
    """

    def __init__(
        self,
        seeds: Sequence[int] = (0, 1, 2, 3),
        distance: Distance = "kernel",
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(RandomVideoFeatures(seeds), distance, reset_real_features, **kwargs)

    def compute(self) -> Tensor:
        """Return the mean over networks, a float64 scalar; warns where there are too few clips to read it."""
        return torch.stack(list(self.part_distances().values())).mean()


class DescriptorVideoDistance(_PartsMetric):
    """Distance of classical descriptors in texture, colour, spectrum and temporal behaviour, and its mean; not FVD.

    Source: :class:`DescriptorFeatures` for the features, :func:`~monai_feat.metrics.functional.part_distances` for the
    distance within each part, which standardises by the real clips. Where all clips are grey, colour is 0. Clips are
    uint8 ``(B, 1 or 3, T, H, W)``, T at least 3, at least 32 x 32 px, of one size and frame rate on both sides.

    Args:
        distance: ``"kernel"``: unbiased, 0 on average between samples of one law at any number of clips, may fall
            below 0; or ``"frechet"``, from 41 clips on each side.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: there is no such distance; in `compute`, a side has fewer than two clips.

    Example:
        >>> import torch
        >>> distance = DescriptorVideoDistance()
        >>> real = torch.randint(0, 256, (6, 1, 3, 32, 32), dtype=torch.uint8)
        >>> distance.update(real, real=True)
        >>> distance.update(real.flip(2), real=False)
        >>> sorted(distance.compute())
        ['descriptors', 'descriptors_colour', 'descriptors_spectrum', 'descriptors_temporal', 'descriptors_texture']
    """

    def __init__(self, distance: Distance = "kernel", reset_real_features: bool = True, **kwargs: Any) -> None:
        super().__init__(DescriptorFeatures(), distance, reset_real_features, **kwargs)

    def compute(self) -> dict[str, Tensor]:
        """Return ``descriptors``, the mean of all parts, and ``descriptors_texture`` … of each, float64 scalars."""
        parts = self.part_distances()
        mean = torch.stack(list(parts.values())).mean()
        return {"descriptors": mean, **{f"descriptors_{name}": value for name, value in parts.items()}}
