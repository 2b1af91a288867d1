# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of what can be measured on one clip, and the distance between two distributions of such a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from monai_feat.metrics.functional.endoscopy import clip_lab, specular_area, specular_lifetime
from monai_feat.metrics.functional.motion import ClipMotion
from monai_feat.metrics.functional.ultrasound import (
    autocovariance_width,
    nakagami_m,
    noise_power_spectrum,
    speckle_snr,
)

__all__ = [
    "PROPERTIES",
    "Modality",
    "Property",
    "get_property",
    "measure_properties",
    "property_distance",
    "register_property",
]

Modality = Literal["any", "endoscopy", "ultrasound"]


def _clips(clips: Tensor) -> Tensor:
    return clips


@dataclass(frozen=True)
class Property:
    """One number that can be measured on every clip.

    Attributes:
        name: stable key.
        title: for people.
        unit: of the values; empty for none.
        function: maps a view of clips to float64 ``(B,)``; NaN where a clip has no such value.
        modality: of the clips for which it makes sense; endoscopy is RGB.
        min_frames: T that a clip must have.
        view: prepares uint8 clips ``(B, C, T, H, W)`` for the function; properties of one view share it.
    """

    name: str
    title: str
    unit: str
    function: Callable[[Any], Tensor]
    modality: Modality = "any"
    min_frames: int = 1
    view: Callable[[Tensor], Any] = _clips

    def __call__(self, clips: Tensor) -> Tensor:
        """Measure uint8 clips ``(B, C, T, H, W)``; returns float64 ``(B,)``."""
        return self.function(self.view(clips))


def _lab_channel(lab: Tensor, channel: int) -> Tensor:
    return lab[:, channel]


def _noise_slope(clips: Tensor) -> Tensor:
    return noise_power_spectrum(clips).slope


_ALL = (
    Property("motion_magnitude", "Motion", "pixels/frame", ClipMotion.magnitude, min_frames=2, view=ClipMotion),
    Property(
        "motion_acceleration",
        "Acceleration of the motion",
        "pixels/frame²",
        ClipMotion.acceleration,
        min_frames=3,
        view=ClipMotion,
    ),
    Property("warping_error", "Warping error", "", ClipMotion.warping_error, min_frames=2, view=ClipMotion),
    Property("flicker", "Flicker", "levels of 255", ClipMotion.flicker, min_frames=3, view=ClipMotion),
    Property("specular_area", "Area of specular highlights", "share of the frame", specular_area, "endoscopy"),
    Property("specular_lifetime", "Lifetime of specular highlights", "frames", specular_lifetime, "endoscopy"),
    Property("lightness", "Lightness L*", "L*", partial(_lab_channel, channel=0), "endoscopy", view=clip_lab),
    Property("redness", "Redness a*", "a*", partial(_lab_channel, channel=1), "endoscopy", view=clip_lab),
    Property("yellowness", "Yellowness b*", "b*", partial(_lab_channel, channel=2), "endoscopy", view=clip_lab),
    Property("speckle_snr", "Signal-to-noise ratio of speckle", "", speckle_snr, "ultrasound"),
    Property("nakagami_m", "Nakagami m of grey levels", "", nakagami_m, "ultrasound"),
    Property(
        "axial_width",
        "Axial width of the autocovariance",
        "pixels",
        partial(autocovariance_width, direction="axial"),
        "ultrasound",
    ),
    Property(
        "lateral_width",
        "Lateral width of the autocovariance",
        "pixels",
        partial(autocovariance_width, direction="lateral"),
        "ultrasound",
    ),
    Property("noise_slope", "Slope of the noise power spectrum", "", _noise_slope, "ultrasound"),
)

PROPERTIES: dict[str, Property] = {entry.name: entry for entry in _ALL}
"""All properties by name, in the order of a report."""


def get_property(name: str) -> Property:
    """Return the property of this name.

    Raises:
        KeyError: there is none; the message lists those there are.
    """
    if name not in PROPERTIES:
        raise KeyError(f"no property {name!r}; there are {', '.join(PROPERTIES)}")
    return PROPERTIES[name]


def register_property(entry: Property) -> Property:
    """Make a property known by its name, so that evaluations measure it.

    An evaluation caches values by the name: a property that is computed differently needs a new one.

    Raises:
        ValueError: another property has that name.
    """
    known = PROPERTIES.setdefault(entry.name, entry)
    if known.title != entry.title:  # a property of a module that was reloaded is the same
        raise ValueError(f"there is a property {entry.name!r} already ({known.title}): choose another name")
    PROPERTIES[entry.name] = entry
    return entry


def measure_properties(properties: Sequence[Property], clips: Tensor) -> Tensor:
    """Measure several properties of the same clips; what they share, such as the optical flow, is computed once.

    Args:
        properties: P of them.
        clips: uint8 ``(B, C, T, H, W)``.

    Returns:
        Float64 ``(B, P)``; NaN where a clip has no such value.
    """
    views: dict[Callable[[Tensor], Any], Any] = {}
    for entry in properties:
        if entry.view not in views:
            views[entry.view] = entry.view(clips)
    return torch.stack([entry.function(views[entry.view]) for entry in properties], dim=1)


def property_distance(real: Tensor, fake: Tensor) -> Tensor:
    """1-Wasserstein distance between two samples of one number: ∫ |F_real(x) − F_fake(x)| dx.

    The area between the two empirical distribution functions, the same as `scipy.stats.wasserstein_distance`. Two
    samples of one law are not at 0; `evaluation` measures that floor.

    Args:
        real: ``(N,)``.
        fake: ``(M,)``.

    Returns:
        In the unit of the values, float64 ``()``.

    Raises:
        ValueError: a side is empty, not one-dimensional, or holds values that are not finite.

    Example:
        >>> import torch
        >>> property_distance(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0, 2.0, 3.0]))
        tensor(2., dtype=torch.float64)
    """
    for side, values in (("real", real), ("fake", fake)):
        if values.ndim != 1 or len(values) == 0 or not values.isfinite().all():
            finite = int(values.isfinite().sum())
            raise ValueError(f"expected {side} values (N,), all finite, got {finite} such in {tuple(values.shape)}")
    points = torch.cat((real, fake)).double().sort().values
    steps = points.diff()
    return ((_share_up_to(points[:-1], real) - _share_up_to(points[:-1], fake)).abs() * steps).sum()


def _share_up_to(points: Tensor, values: Tensor) -> Tensor:
    return torch.searchsorted(values.double().sort().values, points, right=True).double() / len(values)
