# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a distance sees: real clips are corrupted more and more, and it should grow with every step."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from monai_feat.metrics.features import FeatureNetwork
from monai_feat.metrics.functional import Distance

from ..results import Curve
from ..scoring.spaces import FeatureSpace
from .corruptions import CORRUPTIONS, Corruption

__all__ = [
    "DISTANCES",
    "CorruptedFeatures",
    "corrupted_features",
    "corruption_curves",
    "grows_throughout",
    "measure_curves",
    "measure_levels",
    "split_halves",
]

DISTANCES: dict[Distance, Callable[[FeatureSpace, Tensor, Tensor], float]] = {
    "kernel": FeatureSpace.kernel,
    "frechet": FeatureSpace.frechet,
}


@dataclass(frozen=True)
class CorruptedFeatures:
    """Features of one set of clips, as it is and corrupted.

    Attributes:
        clean: float64 ``(N, D)``.
        corrupted: by corruption, one ``(N, D)`` for each level from 1; corruptions that only choose clips have none.
    """

    clean: Tensor
    corrupted: Mapping[str, tuple[Tensor, ...]]

    def of(self, corruption: str, level: int, which: Tensor, seed: int) -> Tensor:
        """Features of some clips at a level, from 0, which is clean; `seed` decides which clips a collapse shows."""
        if level == 0:
            return self.clean[which]
        if corruption in self.corrupted:
            return self.corrupted[corruption][level - 1][which]
        return self.clean[which[CORRUPTIONS[corruption].indices(len(which), level, seed)]]


def corruption_curves(
    clips: Sequence[Tensor],
    spaces: Sequence[FeatureSpace],
    groups: Sequence[str],
    distance: Distance = "kernel",
    splits: int = 8,
    seed: int = 0,
    progress: bool = True,
) -> tuple[Curve, ...]:
    """Corrupt real clips more and more, and measure how far each distance takes them from other real clips.

    Patients are split into two halves; the distance of the clean half to the corrupted other one is averaged over
    several splits, each used both ways. Level 0 corrupts nothing: the floor.

    Args:
        clips: uint8 ``(C, T, H, W)``, all of one shape.
        spaces: feature spaces to measure in.
        groups: patient of each clip.
        distance: which distance.
        splits: how often the patients are split.
        seed: of splits and corruptions.
        progress: show bars with the time left.

    Returns:
        One curve for each space and corruption.

    Raises:
        ValueError: there are fewer than four patients, or not one group for each clip.
    """
    features = {
        space.key: corrupted_features(clips, space.network, seed, f"corruptions, {space.title}" if progress else "")
        for space in spaces
    }
    halves = split_halves(groups, splits, seed)
    return tuple(
        curve for space in spaces for curve in measure_curves(space, features[space.key], halves, distance, seed)
    )


@torch.no_grad()
def corrupted_features(
    clips: Sequence[Tensor], network: FeatureNetwork, seed: int = 0, title: str = ""
) -> CorruptedFeatures:
    """Compute the features of clips under all corruptions at all levels, one clip at a time.

    A clip's draws depend on the seed and its number, and are the same for all levels.

    Args:
        clips: uint8 ``(C, T, H, W)``.
        network: takes clips.
        seed: of the corruptions.
        title: of the progress bar; empty for none.
    """
    changing = {name: corruption for name, corruption in CORRUPTIONS.items() if corruption.change is not None}
    rows: dict[str, list[Tensor]] = {"": [], **{name: [] for name in changing}}
    for number, clip in enumerate(tqdm(clips, desc=title, unit="clip", disable=not title)):
        rows[""].append(_features(network, [clip]))
        for name, corruption in changing.items():
            rows[name].append(_features(network, _levels(corruption, name, clip, number, seed)))
    clean = torch.cat(rows.pop(""))
    return CorruptedFeatures(clean, {name: tuple(torch.stack(found, dim=1)) for name, found in rows.items()})


def split_halves(groups: Sequence[str], splits: int, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Split clips by patient into halves of about the same number of clips, each pair both ways.

    Raises:
        ValueError: there are fewer than four patients.
    """
    names = sorted(set(groups))
    if len(names) < 4:
        raise ValueError(f"expected clips of at least 4 patients to split them in halves, got {len(names)}")
    sizes = Counter(groups)
    rng = np.random.default_rng([seed, 1])
    halves = []
    for _ in range(splits):
        chosen: set[str] = set()
        for name in map(str, rng.permutation(names)):
            if sum(sizes[other] for other in chosen) + sizes[name] <= len(groups) / 2:
                chosen.add(name)
        first = torch.tensor([i for i, group in enumerate(groups) if group in chosen])
        second = torch.tensor([i for i, group in enumerate(groups) if group not in chosen])
        halves += [(first, second), (second, first)]
    return halves


def measure_curves(
    space: FeatureSpace,
    features: CorruptedFeatures,
    halves: Sequence[tuple[Tensor, Tensor]],
    distance: Distance = "kernel",
    seed: int = 0,
) -> list[Curve]:
    """One curve for each corruption, of the features of one space; see `corruption_curves`."""
    curves = []
    for name, levels in measure_levels(space, features, halves, distance, seed).items():
        values = tuple(levels.mean(axis=1).tolist())
        strengths = (0.0, *CORRUPTIONS[name].strengths)
        curves.append(Curve(f"{distance}_{space.key}", name, strengths, values, grows_throughout(values)))
    return curves


def measure_levels(
    space: FeatureSpace,
    features: CorruptedFeatures,
    halves: Sequence[tuple[Tensor, Tensor]],
    distance: Distance = "kernel",
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """By corruption, the distances of clean to corrupted halves, ``(levels + 1, halves)``; level 0 corrupts nothing."""
    measure = DISTANCES[distance]
    floor = [measure(space, features.clean[a], features.clean[b]) for a, b in halves]
    found = {}
    for name, corruption in CORRUPTIONS.items():
        levels = range(1, len(corruption.strengths) + 1)
        corrupted = [
            [measure(space, features.clean[a], features.of(name, level, b, seed)) for a, b in halves]
            for level in levels
        ]
        found[name] = np.array([floor, *corrupted])
    return found


def grows_throughout(values: Sequence[float]) -> bool:
    """Whether each value is above the one before."""
    return all(before < after for before, after in pairwise(values))


def _levels(corruption: Corruption, name: str, clip: Tensor, number: int, seed: int) -> list[Tensor]:
    draws = zlib.crc32(f"{seed} {number} {name}".encode())
    return [corruption.clip(clip, level, draws) for level in range(1, len(corruption.strengths) + 1)]


def _features(network: FeatureNetwork, clips: Sequence[Tensor]) -> Tensor:
    device = next(network.parameters(), torch.empty(0)).device
    features: Tensor = network(torch.stack(list(clips)).to(device))
    return features.double().cpu()
