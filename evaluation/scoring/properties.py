# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Properties of clips, computed and cached like features: one column for each, and one that says where it exists."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from monai_feat.metrics.features import FeatureNetwork
from monai_feat.metrics.functional.properties import PROPERTIES, Modality, Property, measure_properties

__all__ = ["ClipProperties", "chosen_properties"]

_VERSION = 1  # raise it where a property is computed differently


class ClipProperties(FeatureNetwork):
    """Measures properties of clips: columns are the values, 0 for none, and then 1 or 0 for whether there is one.

    Args:
        properties: what to measure.
    """

    def __init__(self, properties: Sequence[Property]) -> None:
        super().__init__()
        self.name, self.properties = "properties", tuple(properties)
        self.num_features = 2 * len(self.properties)

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """Names of the properties, and the version of their definitions."""
        return {"version": _VERSION, "properties": " ".join(entry.name for entry in self.properties)}

    def forward(self, pixels: Tensor) -> Tensor:
        """Return ``(B, 2 P)`` of uint8 clips ``(B, C, T, H, W)``."""
        values = measure_properties(self.properties, pixels)  # (B, P)
        exists = torch.isfinite(values)
        return torch.cat([torch.where(exists, values, 0.0), exists.to(values.dtype)], dim=1)

    def values(self, features: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """Values of one property, and where they exist, each ``(N,)``, of what `forward` returned for N clips."""
        return features[:, number], features[:, len(self.properties) + number] > 0


def chosen_properties(modality: Modality, num_frames: int) -> list[Property]:
    """Properties that make sense for clips of this modality and length, in the order of a report."""
    return [
        entry for entry in PROPERTIES.values() if entry.modality in ("any", modality) and entry.min_frames <= num_frames
    ]
