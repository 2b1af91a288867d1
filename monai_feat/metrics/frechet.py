# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Fréchet distances of real and synthetic clips: of clips, of frames, and extrapolated to infinitely many clips."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import torch
from torch import Tensor, nn

from monai_feat.metrics.feature_metric import FeatureMetric, FeatureSampleMetric
from monai_feat.metrics.functional.frechet import frechet_distance, frechet_infinite, frechet_is_meaningful
from monai_feat.metrics.functional.moments import mean_and_covariance, merge_moments, moments_of, no_moments

__all__ = ["FrechetInceptionDistance", "FrechetInfiniteDistance", "FrechetVideoDistance"]


class FrechetVideoDistance(FeatureMetric):
    """Fréchet distance between the features of real and synthetic clips; with the I3D network, FVD.

    Source: Unterthiner et al. 2018; computed by :func:`~monai_feat.metrics.functional.frechet_distance`. Only
    number, mean and scatter of each side are kept, in float64, so memory does not grow with the clips, processes add
    up, and the covariance of a collapsed generator is not lost beside its mean. 0 is best; what two
    samples of the same clips give is :func:`~monai_feat.metrics.functional.frechet_floor`, never 0.

    Args:
        network: maps clips ``(B, C, T, H, W)`` to features ``(B, D)``; see :class:`FeatureMetric`.
        correction: covariances are divided by N - correction: 1 is unbiased, 0 what StyleGAN-V's FVD reports.
        num_features: D, where the network does not say so by an attribute of that name, or where there is none.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: D is unknown, the network takes frames, or, in `compute`, a side has fewer than two clips.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> distance = FrechetVideoDistance(nn.Flatten(), num_features=4)
        >>> distance.update(torch.zeros(8, 1, 1, 2, 2), real=True)
        >>> distance.update(torch.ones(8, 1, 1, 2, 2), real=False)
        >>> distance.compute()
        tensor(4., dtype=torch.float64)
    """

    plot_lower_bound: float = 0.0
    expects: Literal["clips", "frames"] = "clips"

    real_moments: Tensor
    fake_moments: Tensor

    def __init__(
        self,
        network: nn.Module | None = None,
        correction: Literal[0, 1] = 1,
        num_features: int | None = None,
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(network, reset_real_features, **kwargs)
        if correction not in (0, 1):
            raise ValueError(f"expected correction 0 (divide by N) or 1 (by N - 1), got {correction}")
        self.takes = getattr(network, "takes", self.expects)
        if self.takes != self.expects:
            raise ValueError(
                f"the network takes {self.takes}, expected one for {type(self).__name__} that takes {self.expects}"
            )
        self.correction = correction
        nothing = no_moments(self._decide_num_features(num_features))
        self.add_state("real_moments", nothing.clone(), dist_reduce_fx=merge_moments)
        self.add_state("fake_moments", nothing, dist_reduce_fx=merge_moments)

    def _decide_num_features(self, given: int | None) -> int:
        known = self.num_features if given is None else given
        if known is None or self.num_features not in (None, known):
            raise ValueError(
                f"expected num_features, the D of the network's features, got {given}; "
                f"the network says {self.num_features}"
            )
        self.num_features = known
        return known

    def add(self, features: Tensor, real: bool) -> None:
        """Merge the moments of features ``(N, D)`` into those of their side."""
        if len(features) == 0:
            return
        new = moments_of(features)
        if real:
            self.real_moments = merge_moments(torch.stack([self.real_moments, new]))
        else:
            self.fake_moments = merge_moments(torch.stack([self.fake_moments, new]))

    def compute(self) -> Tensor:
        """Return the distance, a float64 scalar; warns where there are too few clips to read it."""
        num_real, num_fake = int(self.real_moments[0, 0]), int(self.fake_moments[0, 0])
        _check_counts(num_real, num_fake, self.takes)
        _warn_if_meaningless(num_real, num_fake, len(self.real_moments) - 1)
        real, fake = (mean_and_covariance(side, self.correction) for side in (self.real_moments, self.fake_moments))
        return frechet_distance(*real, *fake)


class FrechetInceptionDistance(FrechetVideoDistance):
    """Fréchet distance between the features of single frames; with an Inception network, FID.

    Source: Heusel et al. 2017. As :class:`FrechetVideoDistance`, with every frame of a clip as a sample of its own;
    motion plays no part in it. Frames of one clip are alike, so the distance varies more than the number of frames
    suggests.

    Args:
        network: maps frames ``(N, C, H, W)`` to features ``(N, D)``.
        correction: as in :class:`FrechetVideoDistance`.
        num_features: as there.
        reset_real_features: as there.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: D is unknown, the network takes clips, or, in `compute`, a side has fewer than two frames.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> distance = FrechetInceptionDistance(nn.Flatten(), num_features=4)
        >>> distance.update(torch.zeros(2, 1, 8, 2, 2), real=True)
        >>> distance.update(torch.full((2, 1, 8, 2, 2), 0.5), real=False)
        >>> distance.compute()
        tensor(1., dtype=torch.float64)
    """

    expects: Literal["clips", "frames"] = "frames"


class FrechetInfiniteDistance(FeatureSampleMetric):
    """Fréchet distance extrapolated to infinitely many real and synthetic clips.

    Source: Chong & Forsyth 2020, here on both sides; see
    :func:`~monai_feat.metrics.functional.frechet_infinite`. The bias that a plain distance has at finite N is nearly
    gone, so that samples of different size can be compared; the price is a larger variance, and a value that may fall
    below 0.

    Args:
        network: see :class:`FeatureMetric`.
        num_subsets: points on the line.
        smallest: share of the clips in the smallest subset.
        correction: covariances are divided by N - correction.
        seed: draws the subsets.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: in `compute`, a subset would have fewer than two clips.

    Example:
        >>> import torch
        >>> real, fake = torch.randn(2, 200, 32)
        >>> plain, infinite = FrechetVideoDistance(num_features=32), FrechetInfiniteDistance()
        >>> for metric in (plain, infinite):
        ...     metric.update_features(real, real=True)
        ...     metric.update_features(fake, real=False)
        >>> bool(infinite.compute().abs() < plain.compute())
        True
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        num_subsets: int = 15,
        smallest: float = 0.5,
        correction: Literal[0, 1] = 1,
        seed: int = 0,
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(network, reset_real_features, **kwargs)
        self.num_subsets = num_subsets
        self.smallest = smallest
        self.correction = correction
        self.seed = seed

    def compute(self) -> Tensor:
        """Return the extrapolated distance, a float64 scalar; warns where there are too few clips to read it."""
        real, fake = self.samples()
        _check_counts(len(real), len(fake), self.takes)
        _warn_if_meaningless(int(self.smallest * len(real)), int(self.smallest * len(fake)), real.shape[1])
        return frechet_infinite(real, fake, self.num_subsets, self.smallest, self.correction, self.seed)


def _check_counts(num_real: int, num_fake: int, unit: str) -> None:
    if min(num_real, num_fake) < 2:
        raise ValueError(
            f"a Fréchet distance needs two {unit} on each side, got {num_real} real and {num_fake} fake; "
            "call update for both sides before compute"
        )


def _warn_if_meaningless(num_real: int, num_fake: int, num_features: int) -> None:
    if not frechet_is_meaningful(num_real, num_fake, num_features):
        warnings.warn(
            f"a Fréchet distance of {num_features} features is not meaningful with {num_real} real and {num_fake} fake "
            f"samples, it takes 1.3 times as many samples as features; report KernelVideoDistance instead",
            stacklevel=3,
        )
