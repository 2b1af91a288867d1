# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated data sets, on which floors and intervals are tried.

Docs: docs/intervals.md. `evaluation.simulation` is the command.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from monai_feat.metrics.functional import frechet_distance_from_features, kernel_distance

from ..results import Floor
from ..scoring.baseline import Baseline
from ..scoring.estimates import Estimate, estimate_frechet, estimate_infinite_frechet, estimate_kernel, estimate_mean
from ..scoring.feature_cache import Sample
from ..scoring.floors import SPLITS, band_level
from ..scoring.intervals import Regime, interval_ends, tail_weight
from .feature_laws import LAWS, SPECTRA, Law, Side, frechet_truth, kernel_truth

__all__ = ["CELLS", "LEVELS", "Cell", "Row", "simulate_cell"]

LEVELS = (0.8, 0.9, 0.95, 0.99)

_TOLD_LEVEL = 0.95
_HEAVIER = ("heavier tails", "outlying patients")  # laws that count only for features with such tails

Row = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One simulation: what is tried, how much data there is, and the law it comes from."""

    what: str
    regime: Regime
    law: str
    spectrum: str = ""

    @property
    def name(self) -> str:
        """What it is found by in a table, and seeded by."""
        numbers = " ".join(str(number) for number in asdict(self.regime).values())
        return f"{self.what} {numbers} {self.law} {self.spectrum}".strip()

    @property
    def work(self) -> float:
        """Time of a replicate, in proportion: as measured, so that the time left can be told."""
        size = self.regime
        return (3 if self.what == "floors" else 1) * (size.num_real + size.num_fake) * math.sqrt(size.num_features)


@dataclass(frozen=True)
class _FloorTrial:
    """A score of synthetic clips of the real law, the low end of its interval, and the floor."""

    score: float
    low: float
    floor: Floor

    @property
    def measured(self) -> float:
        return self.floor.measured or 0.0

    @property
    def is_inside(self) -> bool:
        range_ = self.floor.interval
        return range_ is not None and range_.low <= self.score <= range_.high

    @property
    def is_told_apart(self) -> bool:
        return self.floor.interval is not None and self.low > self.floor.interval.high


def _singles(num_real: int, num_fake: int, num_features: int) -> Regime:
    return Regime(num_real, num_fake, num_features, num_real, num_fake)


def _frechet(a: Tensor, b: Tensor) -> float:
    return float(frechet_distance_from_features(a, b))


def _kernel(a: Tensor, b: Tensor) -> float:
    return float(kernel_distance(a, b))


_DISTANCES: dict[str, tuple[Callable[[Tensor, Tensor], float], Callable[..., Estimate]]] = {
    "frechet": (_frechet, estimate_frechet),
    "kernel": (_kernel, estimate_kernel),
}
DISTANCE_SIZES = (
    _singles(30, 30, 100),
    _singles(30, 30, 1024),
    Regime(100, 100, 100, 5, 100),
    Regime(100, 100, 100, 10, 10),
    _singles(100, 100, 100),
    _singles(100, 100, 1024),
    _singles(100, 100, 50),
    _singles(100, 500, 50),
    Regime(150, 150, 50, 15, 150),
    _singles(150, 150, 50),
    _singles(500, 500, 50),
    _singles(1000, 1000, 50),
)
DISTANCE_LAWS = (("same", "flat"), ("covariance", "flat"), *((law, "decaying") for law in LAWS))
FLOOR_SIZES = (
    _singles(130, 130, 100),
    Regime(200, 200, 100, 20, 20),
    Regime(200, 200, 100, 20, 200),
    _singles(200, 200, 100),
    _singles(200, 1000, 100),
)
MEAN_LAWS = {"normal": 0.0, "skewed": 0.5, "very skewed": 1.0}  # of the lognormal, its σ: skewness 0, 1.75 and 6.2
MEAN_SIZES = tuple(Regime(5 * groups, 5 * groups, 1, groups, groups) for groups in (5, 10, 30, 100))
CELLS = (
    *(Cell("mean", size, law) for size in MEAN_SIZES for law in MEAN_LAWS),
    *(Cell("distances", size, law, spectrum) for size in DISTANCE_SIZES for law, spectrum in DISTANCE_LAWS),
    *(Cell("floors", size, "same", spectrum) for size in FLOOR_SIZES for spectrum in SPECTRA),
)


def simulate_cell(cell: Cell, replicates: int, seed: int, tick: Callable[[], object] = lambda: None) -> list[Row]:
    """Simulate one cell; the same seed gives the same rows, whatever else is simulated.

    Args:
        cell: one of `CELLS`, or another.
        replicates: data sets to draw.
        seed: of the table; each cell draws from its own stream.
        tick: called after each replicate.

    Returns:
        One row for each kind of interval: kind, regime, law and coverage by level; where the law has heavier tails than
        the others, the `tail_weight` that 49 of 50 samples reach. For floors, where synthetic clips
        have the real law, the coverage is the share of scores inside the range of splits, `ratio` the mean floor over
        the mean score, and `told_apart` the share of scores whose interval lies above the range: false alarms.
    """
    simulate = {"mean": _mean_rows, "distances": _distance_rows, "floors": _floor_rows}[cell.what]
    generator = torch.Generator().manual_seed(zlib.crc32(cell.name.encode(), seed))
    law = f"{cell.law}, {cell.spectrum}" if cell.spectrum else cell.law
    common = {"cell": cell.name, "regime": asdict(cell.regime), "law": law}
    return [{**common, **row} for row in simulate(cell, replicates, generator, tick)]


def _distance_rows(
    cell: Cell, replicates: int, generator: torch.Generator, tick: Callable[[], object]
) -> Iterator[Row]:
    size, (real, fake) = cell.regime, Law(cell.law, cell.spectrum, cell.regime.num_features).sides()
    has_limit = min(size.num_real, size.num_fake) >= size.num_features  # below, halves cannot tell where it goes
    found: dict[str, list[Estimate]] = {"frechet": [], "kernel": [], **({"frechet_infinite": []} if has_limit else {})}
    groups = _deal(size.num_real, size.real_groups), _deal(size.num_fake, size.fake_groups)
    weights = []
    for _ in range(replicates):
        features = real.draw(size.num_real, groups[0], generator), fake.draw(size.num_fake, groups[1], generator)
        found["frechet"].append(estimate_frechet(*features, *groups))
        found["kernel"].append(estimate_kernel(*features, *groups))
        if has_limit:
            found["frechet_infinite"].append(estimate_infinite_frechet(*features, *groups))
        weights.append(max(tail_weight(side, own) for side, own in zip(features, groups, strict=True)))
        tick()
    truths = {
        "frechet": sum(estimate.value for estimate in found["frechet"]) / replicates,
        "frechet_infinite": frechet_truth(real, fake),
        "kernel": kernel_truth(real, fake),
    }
    tails = {"tails": round(float(torch.tensor(weights).quantile(0.02)), 3)} if cell.law in _HEAVIER else {}
    for kind, estimates in found.items():
        yield {"kind": kind, **tails, "coverage": _coverage(kind, estimates, truths[kind])}


def _mean_rows(cell: Cell, replicates: int, generator: torch.Generator, tick: Callable[[], object]) -> Iterator[Row]:
    """Clips of a group share 0.3 of their variance, and the last group has the most clips."""
    size, sigma = cell.regime, MEAN_LAWS[cell.law]
    weights = torch.arange(1, size.real_groups + 1, dtype=torch.float64)
    extra = size.num_real - size.real_groups  # beyond one clip for each group
    steps = (weights.cumsum(0) / weights.sum() * extra).round()
    counts = 1 + steps.diff(prepend=steps.new_zeros(1)).long()
    groups = torch.repeat_interleave(torch.arange(size.real_groups), counts)
    side = Side(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    estimates = []
    for _ in range(replicates):
        values = side.draw(size.num_real, groups, generator)[:, 0]
        estimates.append(estimate_mean((sigma * values).exp() if sigma else values, groups))
        tick()
    truth = math.exp(sigma**2 / 2) if sigma else 0.0
    # A few groups cannot tell so skewed a law: its row is for the reader, and no interval is looked up in it.
    kind = "mean_very_skewed" if cell.law == "very skewed" else "mean"
    yield {"kind": kind, "coverage": _coverage("mean", estimates, truth)}


def _floor_rows(cell: Cell, replicates: int, generator: torch.Generator, tick: Callable[[], object]) -> Iterator[Row]:
    """Score synthetic clips of the real law: that falls near the floor, and should not be told from real clips."""
    size, (real, _) = cell.regime, Law("same", cell.spectrum, cell.regime.num_features).sides()
    groups = _deal(size.num_real, size.real_groups), _deal(size.num_fake, size.fake_groups)
    names = [str(number) for number in groups[0].tolist()]
    trials: dict[str, list[_FloorTrial]] = {kind: [] for kind in _DISTANCES}
    for replicate in range(replicates):
        ours, theirs = real.draw(size.num_real, groups[0], generator), real.draw(size.num_fake, groups[1], generator)
        baseline = Baseline([Sample(ours, names)], size.num_fake, seed=replicate)
        for kind, (distance, estimate) in _DISTANCES.items():
            floor = baseline.floor(kind, distance, size.num_real, order=1)
            low, _ = interval_ends(kind, estimate(ours, theirs, *groups), _TOLD_LEVEL)
            trials[kind].append(_FloorTrial(distance(ours, theirs), low, floor))
        tick()
    for kind, found in trials.items():
        inside = sum(trial.is_inside for trial in found) / replicates
        yield {
            "kind": f"floor_{kind}",
            "coverage": {f"{band_level(SPLITS):.4g}": round(inside, 4)},
            "ratio": round(sum(trial.measured for trial in found) / sum(trial.score for trial in found), 3),
            "told_apart": round(sum(trial.is_told_apart for trial in found) / replicates, 4),
        }


def _coverage(kind: str, estimates: Sequence[Estimate], truth: float) -> dict[str, float]:
    held = {}
    for level in LEVELS:
        ends = [interval_ends(kind, estimate, level) for estimate in estimates]
        held[f"{level:.4g}"] = round(sum(low <= truth <= high for low, high in ends) / len(ends), 4)
    return held


def _deal(count: int, groups: int) -> Tensor:
    return torch.arange(count) % groups
