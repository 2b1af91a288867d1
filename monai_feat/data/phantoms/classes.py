# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The classes that clinicians would put procedural clips into."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PHANTOM_CLASSES", "phantom_class"]

PHANTOM_CLASSES: dict[str, tuple[str, ...]] = {
    "endoscopy": ("no polyp", "polyp under 20 mm", "polyp of 20 mm or more"),
    "ultrasound": ("ejection fraction under 40 %", "ejection fraction 40 to 50 %", "ejection fraction over 50 %"),
}
_LARGE_POLYP_MM = 20.0
_REDUCED, _PRESERVED = 0.4, 0.5


def phantom_class(kind: str, attributes: Mapping[str, float]) -> str:
    """Name the class of a clip, one of `PHANTOM_CLASSES`, from its exact attributes.

    Raises:
        KeyError: these attributes are not those of this kind.
    """
    names = PHANTOM_CLASSES[kind]
    if kind == "endoscopy":
        present, diameter = attributes["polyp_present"] > 0, attributes["polyp_diameter_mm"]
        return names[0 if not present else 2 if diameter >= _LARGE_POLYP_MM else 1]
    fraction = attributes["ejection_fraction"]
    return names[0 if fraction < _REDUCED else 2 if fraction > _PRESERVED else 1]
