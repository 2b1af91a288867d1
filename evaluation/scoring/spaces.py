# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The feature spaces that distances are taken in, and how each is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from monai_feat.metrics.features import (
    DescriptorFeatures,
    FeatureNetwork,
    I3DFeatures,
    InceptionFeatures,
    RandomVideoFeatures,
    VideoMAEFeatures,
    fetch_weights,
)
from monai_feat.metrics.functional import frechet_distance_from_features, kernel_distance, standardise_features

__all__ = ["PUBLISHED_SPACES", "FeatureSpace", "offline_spaces", "published_spaces"]


@dataclass(frozen=True)
class FeatureSpace:
    """A feature network, and how distances are taken in its features.

    Attributes:
        network: computes the features.
        title: for people, of the features.
        published_as: name of the Fréchet distance in them under its published protocol, such as ``FVD``.
        parts: columns that are scored apart and averaged, such as those of each seed; all in one if empty.
        resolution: of features that are standardised by the real clips first; None leaves them as they are.
        is_logits: whether features are class logits, which only the inception score is computed of.
        reference: features ``(N, D)`` of the real clips that features are standardised by; None for those of the real
            side of each distance. Scores and floors can be compared only where it is the same for both.
    """

    network: FeatureNetwork
    title: str
    published_as: str = ""
    parts: tuple[slice, ...] = ()
    resolution: float | None = None
    is_logits: bool = False
    reference: Tensor | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """Name in metrics and in the protocol."""
        return self.network.name

    @property
    def num_features(self) -> int:
        """Number D of features that one distance is taken in."""
        widths = [part.stop - part.start for part in self.parts]
        return max(widths, default=self.network.num_features)

    def pairs(self, real: Tensor, fake: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Real and synthetic features of each part, brought to one scale where that is wanted."""
        real, fake = self.whole(real, fake)
        return [(real[:, part], fake[:, part]) for part in self.parts or (slice(None),)]

    def whole(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """All features of both sides, brought to one scale where that is wanted."""
        if self.resolution is None:
            return real, fake
        if self.reference is None:
            return standardise_features(real, fake, self.resolution)
        return tuple(standardise_features(self.reference, side, self.resolution)[1] for side in (real, fake))  # type: ignore[return-value]

    def standardised_by(self, reference: Tensor) -> FeatureSpace:
        """Return this space with one scale for all distances, that of these real clips ``(N, D)``."""
        return replace(self, reference=reference)

    def frechet(self, real: Tensor, fake: Tensor, correction: int = 1) -> float:
        """Fréchet distance, averaged over parts."""
        return _mean(frechet_distance_from_features(a, b, correction) for a, b in self.pairs(real, fake))

    def kernel(self, real: Tensor, fake: Tensor) -> float:
        """Kernel distance, averaged over parts."""
        return _mean(kernel_distance(a, b) for a, b in self.pairs(real, fake))


def offline_spaces() -> list[FeatureSpace]:
    """Open the networks that need no download: random ones, and classical descriptors."""
    random, descriptors = RandomVideoFeatures(), DescriptorFeatures()
    return [
        FeatureSpace(random, "random features", "", tuple(random.parts.values()), random.resolution),
        FeatureSpace(descriptors, "descriptors", "", tuple(descriptors.parts.values()), descriptors.resolution),
    ]


def published_spaces(weights: Mapping[str, str], num_frames: int, trust_script: bool = False) -> list[FeatureSpace]:
    """Open the published networks whose weights are named.

    Args:
        weights: by name of the network: a path, or a name that `fetch_weights` knows and downloads.
        num_frames: frames of a clip.
        trust_script: run TorchScript files that are not the published ones.

    Raises:
        FileNotFoundError: there is no such file, and no network to download it by.
        WeightsError: a file is truncated, damaged, another network, or a program that is neither published nor trusted.
        ValueError: there is no network of this name.
    """
    if unknown := [name for name in weights if name not in PUBLISHED_SPACES]:
        known = ", ".join(PUBLISHED_SPACES)
        raise ValueError(f"--weights: unknown network {unknown[0]!r}; the known ones are {known}")
    opened = [PUBLISHED_SPACES[name](fetch_weights(at), num_frames, trust_script) for name, at in weights.items()]
    return [space for spaces in opened for space in spaces]


def _open_i3d(path: Path, num_frames: int, trust_script: bool) -> list[FeatureSpace]:
    return [FeatureSpace(I3DFeatures(path, num_frames, trust_script), "I3D logits", "FVD")]


def _open_video_mae(path: Path, num_frames: int, trust_script: bool) -> list[FeatureSpace]:
    return [FeatureSpace(VideoMAEFeatures(path), "VideoMAE features", "CD-FVD")]


def _open_inception(path: Path, num_frames: int, trust_script: bool) -> list[FeatureSpace]:
    logits = InceptionFeatures(path, "logits", trust_script)
    return [
        FeatureSpace(InceptionFeatures(path, trust_script=trust_script), "Inception features", "FID"),
        FeatureSpace(logits, "Inception logits", "IS", is_logits=True),
    ]


PUBLISHED_SPACES: dict[str, Callable[[Path, int, bool], list[FeatureSpace]]] = {
    "i3d": _open_i3d,
    "video_mae": _open_video_mae,
    "inception": _open_inception,
}


def _mean(distances: Iterable[Tensor]) -> float:
    return float(torch.stack(list(distances)).mean())
