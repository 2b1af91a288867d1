# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Power of synthetic over real clips by band of time and space: it says what is wrong, where a distance says how much.

Bands are those of `monai_feat.metrics.functional.band_power`. Change in time is read from coarse structure, below 1/8
cycles a pixel, and from the brightness of whole frames, so that a blurred clip is not taken for one that stands still.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_feat.metrics.features import FeatureNetwork
from monai_feat.metrics.functional import SPATIAL_BANDS, TEMPORAL_BANDS, band_power

from ..results import Interval, PowerRatio
from .estimates import Estimate, estimate_mean, group_numbers
from .feature_cache import Sample

__all__ = ["ASPECTS", "Aspect", "ClipSpectrum", "power_ratios"]

_VERSION = 1  # raise it where the power is computed differently
_ROWS, _COLUMNS = len(TEMPORAL_BANDS) + 2, len(SPATIAL_BANDS) + 2
_ROUNDING = 1 / 12  # mean square of what rounding to whole levels takes away or adds
_LEVEL = 0.95
_METHOD = "t interval of the logarithm, variance over groups"


@dataclass(frozen=True)
class Aspect:
    """Some of the bands, under a name: rows of time, from the mean on, and columns of space, likewise."""

    name: str
    title: str
    rows: tuple[int, ...]
    column: int

    def of(self, power: Tensor) -> Tensor:
        """Return the power in these bands ``(N,)`` of features ``(N, X * Y)``."""
        bands = power.unflatten(1, (_ROWS, _COLUMNS))
        found: Tensor = bands[:, list(self.rows), self.column].sum(dim=1)
        return found


_ALWAYS = tuple(range(_ROWS))
ASPECTS = (
    Aspect("coarse", "Coarse structure", _ALWAYS, 1),
    Aspect("medium", "Medium detail", _ALWAYS, 2),
    Aspect("fine", "Fine detail", _ALWAYS, 3),
    Aspect("finest", "Finest detail", _ALWAYS, 4),
    Aspect("slow_change", "Slow change", (1,), 1),
    Aspect("quick_change", "Quick change", (2,), 1),
    Aspect("fast_change", "Fast change", (3,), 1),
    Aspect("slow_brightness", "Slow change of brightness", (1,), 0),
    Aspect("quick_brightness", "Quick change of brightness", (2,), 0),
    Aspect("fast_brightness", "Fast change of brightness", (3,), 0),
)
"""What is told of a spectrum, in the order of a report."""


class ClipSpectrum(FeatureNetwork):
    """Measures the power of clips in each band of time and space."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.num_features = "spectrum", _ROWS * _COLUMNS

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """Borders of the bands, and the version of their definition."""
        return {"version": _VERSION, "temporal": str(TEMPORAL_BANDS), "spatial": str(SPATIAL_BANDS)}

    def forward(self, pixels: Tensor) -> Tensor:
        """Return ``(B, X * Y)`` of uint8 clips ``(B, C, T, H, W)``, in squared levels of 255; one clip at a time."""
        return torch.cat([band_power(clip[None]).flatten(1) for clip in pixels])


def power_ratios(real: Sequence[Sample], fake: Sample) -> Iterator[PowerRatio]:
    """Compare the mean power of synthetic clips with that of real ones, aspect by aspect.

    The power of rounding to 8 bits is added to both, for below it nothing is visible.

    Args:
        real: what `ClipSpectrum` gave for all real sides; they count as one.
        fake: for the synthetic clips.

    Yields:
        Each aspect in which real or synthetic clips have power at all, with the interval of the ratio; without it where
        all clips of a side are of one patient.
    """
    power = torch.cat([sample.features for sample in real])
    groups = group_numbers([group for sample in real for group in sample.groups], len(power))
    fake_groups = group_numbers(fake.groups, len(fake))
    for aspect in ASPECTS:
        ours, theirs = aspect.of(power), aspect.of(fake.features)
        if max(ours.max(), theirs.max()) > 0:
            ours, theirs = ours + _ROUNDING, theirs + _ROUNDING
            ratio = float(theirs.mean() / ours.mean())
            yield PowerRatio(aspect.name, aspect.title, ratio, _interval(ratio, ours, theirs, groups, fake_groups))


def _interval(ratio: float, real: Tensor, fake: Tensor, real_groups: Tensor, fake_groups: Tensor) -> Interval | None:
    """The logarithm of a mean varies by the variance of the mean over its square, to first order."""
    if min(int(real_groups.max()), int(fake_groups.max())) < 1:
        return None
    sides = estimate_mean(real / real.mean(), real_groups), estimate_mean(fake / fake.mean(), fake_groups)
    variances, groups = zip(*((side.variances[0], side.groups[0]) for side in sides), strict=True)
    factor = math.exp(Estimate(math.log(ratio), variances, groups).half_width(_LEVEL))
    return Interval(ratio / factor, ratio * factor, _LEVEL, _METHOD)
