# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From features to scores: each with its interval, its floor, and whether it may be read at this number of clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from monai_feat.metrics.functional import (
    authenticity,
    expected_coverage,
    feature_moments,
    frechet_floor,
    nearest_neighbour_ratio,
    precision_recall_density_coverage,
)
from monai_feat.metrics.functional.properties import Property, property_distance

from ..results import Interval, Reference, Score
from .baseline import Baseline
from .feature_cache import Sample
from .intervals import Kind, distance_interval, why_no_interval
from .spaces import FeatureSpace

__all__ = ["MIN_CLIPS_PER_FEATURE", "NEIGHBOURS", "SpaceScorer", "score_property"]

MIN_CLIPS_PER_FEATURE = 1.3
LINEAR_CLIPS_PER_FEATURE = 2  # from here on a Fréchet floor falls as 1/N + 1/M, see docs/intervals.md
NEIGHBOURS = 5
LEVEL = 0.95


class SpaceScorer:
    """Scores synthetic clips in one feature space.

    Args:
        space: the network's.
        fake: the synthetic clips.
        baseline: floors, from all real clips.
        correction: covariances are divided by N minus this.
        seed: of intervals.
    """

    def __init__(
        self, space: FeatureSpace, fake: Sample, baseline: Baseline, correction: int = 1, seed: int = 0
    ) -> None:
        self.space, self.fake, self.baseline = space, fake, baseline
        self.correction, self.seed = correction, seed

    def fidelity(self, real: Sample, reference: Reference) -> list[Score]:
        """Fréchet and kernel distance, precision, recall, density and coverage against one reference.

        With fewer than 1.3 clips per feature the Fréchet distance is mostly the noise of its covariances, and is marked
        as one not to be read.
        """
        scores = [self._frechet(real, reference), self._kernel(real, reference)]
        if min(len(real), len(self.fake)) > NEIGHBOURS:
            scores += self._neighbours(real, reference)
        return scores

    def copying(self, train: Sample) -> Iterator[Score]:
        """AuthPct, and the mean ratio of distances to the nearest and the second nearest training clip.

        Both are scores of the whole sample; single copies are for the memorisation gate.
        """
        for key, title, function in (
            ("authenticity", "AuthPct", authenticity),
            ("nearest_ratio", "Nearest-neighbour ratio", nearest_neighbour_ratio),
        ):

            def measure(a: Tensor, b: Tensor, function: Callable[[Tensor, Tensor], Tensor] = function) -> float:
                return float(function(*self.space.whole(a, b)).mean())

            yield replace(
                self._score(key, f"{title} in {self.space.title}", train, "train"),
                value=measure(train.features, self.fake.features),
                floor=self.baseline.floor(key, measure, len(train), None, higher_is_better=True, defects={}),
                higher_is_better=True,
            )

    def _frechet(self, real: Sample, reference: Reference) -> Score:
        def distance(a: Tensor, b: Tensor) -> float:
            return self.space.frechet(a, b, self.correction)

        fewest, needed = min(len(real), len(self.fake)), MIN_CLIPS_PER_FEATURE * self.space.num_features
        is_meaningful = fewest >= needed
        note = f"N = {fewest} is below 1.3 D = {needed:.0f}: mostly noise of the covariances; read the kernel distance"
        is_linear = fewest >= LINEAR_CLIPS_PER_FEATURE * self.space.num_features
        floor = self.baseline.floor("frechet", distance, len(real), order=1 if is_linear else None)
        score = replace(
            self._score("frechet", f"Fréchet distance of {self.space.title}", real, reference),
            value=distance(real.features, self.fake.features),
            floor=replace(floor, closed_form=self._expected_frechet(real) if is_meaningful else None),
            meaningful=is_meaningful,
            note="" if is_meaningful else note,
        )
        return self._with_interval(score, "frechet", real)

    def _kernel(self, real: Sample, reference: Reference) -> Score:
        score = replace(
            self._score("kernel", f"Kernel distance of {self.space.title}", real, reference),
            value=self.space.kernel(real.features, self.fake.features),
            floor=self.baseline.floor("kernel", self.space.kernel, len(real), order=1),
        )
        return self._with_interval(score, "kernel", real)

    def _neighbours(self, real: Sample, reference: Reference) -> Iterator[Score]:
        values = self._prdc(real.features, self.fake.features)
        floors = _Together(self._prdc)
        for key, value in values.items():
            floor = self.baseline.floor(key, floors.one(key), len(real), None, higher_is_better=True)
            if key in ("precision", "density"):
                floor = replace(floor, blind_to=())  # by their nature: they ask for likeness, not for variety
            if key == "coverage":
                floor = replace(floor, closed_form=expected_coverage(len(real), len(self.fake), NEIGHBOURS))
            yield replace(
                self._score(key, f"{key.capitalize()} in {self.space.title}", real, reference),
                value=value,
                floor=floor,
                higher_is_better=True,
            )

    def _prdc(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        k = min(NEIGHBOURS, len(real) - 1, len(fake) - 1)  # parts of the real clips may be smaller than the sides
        found = precision_recall_density_coverage(*self.space.whole(real, fake), k)
        return {key: float(value) for key, value in found.items()}

    def _score(self, key: str, title: str, real: Sample, reference: Reference) -> Score:
        return Score(
            metric=f"{key}_{self.space.key}",
            title=title,
            reference=reference,
            value=float("nan"),
            interval=None,
            floor=None,
            num_real=len(real),
            num_fake=len(self.fake),
            num_features=self.space.num_features,
        )

    def _with_interval(self, score: Score, kind: Kind, real: Sample) -> Score:
        """A score that is the average over parts has the average of their intervals: right where they move together."""
        pairs = self.space.pairs(real.features, self.fake.features)
        groups = real.groups, self.fake.groups
        found = [
            distance_interval(kind, a, b, *groups, LEVEL, self.seed, self.correction if kind == "frechet" else 1)
            for a, b in pairs
        ]
        known = [interval for interval in found if interval is not None]
        if len(known) == len(found):
            return replace(score, interval=_average(known))
        why = next(why_no_interval(kind, *pair, *groups) for pair, i in zip(pairs, found, strict=True) if i is None)
        return replace(score, note="; ".join(filter(None, (score.note, f"no interval: {why}"))))

    def _expected_frechet(self, real: Sample) -> float:
        covariances = [feature_moments(part)[1] for part, _ in self.space.pairs(real.features, real.features)]
        return float(torch.stack([frechet_floor(cov, len(real), len(self.fake)) for cov in covariances]).mean())


class _Together:
    """Several distances that one computation gives, each as a function of its own.

    Floors of all are measured on the same splits in the same order, so that what one needs was computed for another.
    """

    def __init__(self, function: Callable[[Tensor, Tensor], dict[str, float]]) -> None:
        self._function, self._computed = function, list[dict[str, float]]()

    def one(self, key: str) -> Callable[[Tensor, Tensor], float]:
        turn = iter(range(1_000_000))

        def distance(a: Tensor, b: Tensor) -> float:
            number = next(turn)
            if number == len(self._computed):
                self._computed.append(self._function(a, b))
            return self._computed[number][key]

        return distance


def score_property(entry: Property, real: Sample, fake: Sample, reference: Reference, baseline: Baseline) -> Score:
    """Score how far a measured property of the clips is distributed differently: their Wasserstein distance.

    Args:
        entry: the property.
        real: one value per clip, ``(N, 1)``.
        fake: likewise.
        reference: which real clips these are.
        baseline: of the values of all real clips.
    """
    return Score(
        metric=f"property_{entry.name}",
        title=entry.title,
        reference=reference,
        value=_property_distance(real.features, fake.features),
        interval=None,
        floor=baseline.floor(entry.name, _property_distance, len(real), order=0.5),
        num_real=len(real),
        num_fake=len(fake),
        unit=entry.unit,
    )


def _property_distance(real: Tensor, fake: Tensor) -> float:
    return float(property_distance(real[:, 0], fake[:, 0]))


def _average(intervals: Sequence[Interval]) -> Interval:
    count = len(intervals)
    low, high = (sum(ends) / count for ends in zip(*((i.low, i.high) for i in intervals), strict=True))
    centres = [interval.centre for interval in intervals if interval.centre is not None]
    return replace(intervals[0], low=low, high=high, centre=sum(centres) / count if len(centres) == count else None)
