# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings and other nested facts as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["fact_text", "flat_facts", "plain_name"]


def flat_facts(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested facts as one list, in their order.

    Example:
        >>> flat_facts({"clips": {"frame_rate": 8.0, "size": [64, 64]}, "seed": None})
        {'clips · frame rate': '8', 'clips · size': '64, 64', 'seed': 'none'}
    """
    found: dict[str, str] = {}
    for key, item in value.items():
        name = f"{prefix} · {plain_name(key)}" if prefix else plain_name(key)
        found |= flat_facts(item, name) if isinstance(item, Mapping) and item else {name: fact_text(item)}
    return found


def fact_text(item: Any) -> str:
    """Return one fact as text; nothing, and empty collections, are ``none``."""
    if item is None or item == {} or item == () or item == []:
        return "none"
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, float):
        return f"{item:.10g}"
    if isinstance(item, Mapping):
        return ", ".join(f"{plain_name(key)}: {fact_text(part)}" for key, part in item.items())
    if isinstance(item, (list, tuple)):
        return ", ".join(fact_text(part) for part in item)
    return str(item)


def plain_name(key: object) -> str:
    """Return the name of a key as people write it."""
    return str(key).replace("_", " ")
