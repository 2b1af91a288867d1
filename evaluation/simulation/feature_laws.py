# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated features whose distances are known in closed form, to try floors and intervals on.

Letters: D features, Σ a diagonal covariance, δ the shift of the synthetic mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["LAWS", "SPECTRA", "Law", "Side", "frechet_truth", "kernel_truth"]

LAWS = ("same", "mean", "covariance", "heavy tails", "heavier tails", "outlying patients")
SPECTRA = ("flat", "decaying")

_SHIFT = 0.3  # of each feature's standard deviation
_STRETCH = 1.5  # of every other feature's standard deviation
_DEGREES = {"heavy tails": 5, "heavier tails": 3}  # of Student's t
_OUTLYING, _FAR = 0.05, 4.0  # share of groups that lie so many times as far out
_LIKENESS = 0.3  # share of the variance that clips of one group have in common


@dataclass(frozen=True)
class Side:
    """A law of features that is symmetric about its mean: mean ``(D,)``, standard deviations ``(D,)``, and its tails.

    `tails` is ``"heavy tails"`` or ``"heavier tails"``: a multivariate t with 5 or 3 degrees of freedom, each clip with
    its own radius; ``"outlying patients"``: a twentieth of the groups lies 4 times as far out; or else normal ones. All
    are scaled to the same covariance.
    """

    mean: Tensor
    deviation: Tensor
    tails: str = ""

    def draw(self, count: int, groups: Tensor, generator: torch.Generator) -> Tensor:
        """Return features ``(N, D)`` in `groups` ``(N,)``; clips of a group share 0.3 of their variance.

        Groups of one clip each draw from the same law.
        """
        size, number = (count, len(self.mean)), int(groups.max()) + 1
        noise = torch.randn(size, generator=generator, dtype=torch.float64)
        if number < count:
            common = torch.randn((number, size[1]), generator=generator, dtype=torch.float64)[groups]
            noise = _LIKENESS**0.5 * common + (1 - _LIKENESS) ** 0.5 * noise
        if self.tails in _DEGREES:
            degrees = _DEGREES[self.tails]
            squares = torch.randn((count, degrees), generator=generator, dtype=torch.float64).square().sum(dim=1)
            noise = noise * ((degrees - 2) / squares).sqrt()[:, None]
        if self.tails == "outlying patients":
            far = torch.rand(number, generator=generator, dtype=torch.float64)[groups] < _OUTLYING
            noise = noise * torch.where(far, _FAR, 1.0)[:, None] / (1 + _OUTLYING * (_FAR**2 - 1)) ** 0.5
        return self.mean + noise * self.deviation


@dataclass(frozen=True)
class Law:
    """A law of real and one of synthetic features.

    Attributes:
        name: one of `LAWS`: the same on both sides; a mean shifted by 0.3 standard deviations in all features;
            every other standard deviation 1.5 times as large; tails on both sides, see `Side`, and a shifted mean.
        spectrum: ``"flat"``: all features vary alike; ``"decaying"``: feature j has variance in proportion to 1 / j.
        num_features: D.
    """

    name: str
    spectrum: str
    num_features: int

    def sides(self) -> tuple[Side, Side]:
        """Return the laws of real and synthetic features; the mean variance of a real feature is 1."""
        if self.name not in LAWS or self.spectrum not in SPECTRA:
            raise ValueError(f"unknown law {self.name!r} or spectrum {self.spectrum!r}; known are {LAWS} and {SPECTRA}")
        place = torch.arange(1, self.num_features + 1, dtype=torch.float64)
        variance = torch.ones_like(place) if self.spectrum == "flat" else 1 / place
        deviation = (variance / variance.mean()).sqrt()
        has_mean = self.name not in ("same", "covariance")
        shift = _SHIFT * deviation if has_mean else torch.zeros_like(deviation)
        stretch = torch.ones_like(deviation)
        if self.name == "covariance":
            stretch[::2] = _STRETCH
        return Side(torch.zeros_like(shift), deviation, self.name), Side(shift, deviation * stretch, self.name)


def frechet_truth(real: Side, fake: Side) -> float:
    """Return the Fréchet distance of two laws with diagonal covariances: ``|δ|² + Σ (σ - τ)²``."""
    return float((real.mean - fake.mean).square().sum() + (real.deviation - fake.deviation).square().sum())


def kernel_truth(real: Side, fake: Side) -> float:
    """Return the MMD² of kernel ``(x·y/D + 1)³``: ``Σₖ (3 choose k) D⁻ᵏ |E x⊗ᵏ - E y⊗ᵏ|²``, k = 1, 2, 3.

    The real law must have mean 0 and both be symmetric about their means, so that the third moment of the real side is
    0 and that of the synthetic side δ⊗δ⊗δ plus δ⊗T in its three orders, T the synthetic covariance.
    """
    if real.mean.any():
        raise ValueError(f"the real law has the mean {real.mean.tolist()[:3]}, expected 0 in every feature")
    D = len(fake.mean)
    shift, cov = fake.mean, fake.deviation.square()
    square = shift.square().sum()  # |δ|²
    second = shift.outer(shift) + torch.diag(cov - real.deviation.square())
    along = (shift.square() * cov).sum(), (shift.square() * cov.square()).sum()  # δᵀ T δ, δᵀ T² δ
    third = square**3 + 6 * square * along[0] + 3 * square * cov.square().sum() + 6 * along[1]
    return float(3 * square / D + 3 * second.square().sum() / D**2 + third / D**3)
