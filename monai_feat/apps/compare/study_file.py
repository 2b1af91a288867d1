# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is compared: a bundle's training, variants of it, seeds, and the budget that each run has."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from monai_feat.bundle import find_bundle
from monai_feat.documents import read_yaml

__all__ = ["BUDGETS", "Study", "folder_name", "read_study"]

BUDGETS = ("steps", "cpu_seconds")


@dataclass(frozen=True)
class Study:
    """A comparison.

    Attributes:
        title: of the report.
        bundle: name or folder of the bundle whose ``train.json`` is trained.
        budget: of each run: ``{"steps": N}``, steps of the optimiser, rounded up to whole epochs, or
            ``{"cpu_seconds": S}``, seconds of the processor.
        variants: what each lays over the config, by name; the others are held against the first.
        common: what all lay over it, such as sizes of clips.
        seeds: of first weights, the order of clips, and noise; a run for each.
        samples: clips to sample for their power and their distance; 0 for none.

    Raises:
        ValueError: there are fewer than two variants or no seed, or the budget is none that is known.
    """

    title: str
    bundle: str
    budget: Mapping[str, float]
    variants: Mapping[str, Mapping[str, Any]]
    common: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    samples: int = 0

    def __post_init__(self) -> None:
        if len(self.variants) < 2 or not self.seeds:
            raise ValueError(f"expected two variants and a seed at least, got {list(self.variants)}, {self.seeds}")
        if len({folder_name(name) for name in self.variants}) < len(self.variants):
            raise ValueError(f"names of variants differ only in signs: {', '.join(self.variants)}")
        if len(self.budget) != 1 or not set(self.budget) <= set(BUDGETS) or not min(self.budget.values()) > 0:
            raise ValueError(f"budget: expected one of {', '.join(BUDGETS)}, over 0, got {dict(self.budget)}")

    @property
    def folder(self) -> Path:
        """The bundle's."""
        return find_bundle(self.bundle)


def folder_name(variant: str) -> str:
    """Return the name of a variant as that of a folder."""
    return re.sub(r"[^\w-]+", "_", variant)


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read a study from YAML.

    Raises:
        ValueError: a key is unknown or missing, or a value is not what it should be.
        OSError: the file cannot be read.
    """
    document = read_yaml(path)
    known = {each.name for each in fields(Study)}
    if not isinstance(document, dict) or not set(document) <= known:
        unknown = sorted(set(document) - known) if isinstance(document, dict) else document
        raise ValueError(f"{path}: does not know {unknown}; the known keys are {', '.join(sorted(known))}")
    if missing := {"title", "bundle", "budget", "variants"} - set(document):
        raise ValueError(f"{path}: lacks {', '.join(sorted(missing))}")
    mappings = {"budget", "variants", "common"} & set(document)
    if wrong := [name for name in sorted(mappings) if not isinstance(document[name], dict)]:
        raise ValueError(f"{path}: {wrong[0]}: expected names and values, got {document[wrong[0]]!r}")
    try:
        variants = {str(name): dict(overlay or {}) for name, overlay in document["variants"].items()}
        seeds = tuple(int(seed) for seed in document.get("seeds", (0, 1, 2)))
        return Study(**{**document, "variants": variants, "seeds": seeds})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
