# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate what the page says of generators whose quality is known, by patients of the real clips.

    python -m evaluation.simulation.verdicts --replicates 200      # the table of docs/evaluation.md, as Markdown

Clips are drawn as features: a patient's clips lie around the patient's own centre, see `repeats.draw`. What is judged
is the kernel distance against its floor, as in an evaluation of two sides, and whether clips are too alike.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from monai_feat.metrics.features import FeatureNetwork

from ..report.summary import standing
from ..scoring.baseline import Baseline
from ..scoring.feature_cache import Sample
from ..scoring.repeats import find_repeats
from ..scoring.space_scorer import SpaceScorer
from ..scoring.spaces import FeatureSpace
from .repeats import NUM_FEATURES, draw, half_of_one

__all__ = ["DESIGNS", "GENERATORS", "Saying", "main", "say"]

Saying = Literal["too alike", "no worse", "worse", "cannot tell"]
_SAYINGS: dict[str, Saying] = {"like real": "no worse", "apart": "worse"}

DESIGNS: dict[str, tuple[int, ...]] = {
    "3 × 16": (16,) * 3,
    "26, 17, 3, 2": (26, 17, 3, 2),
    "4 × 12": (12,) * 4,
    "6 × 8": (8,) * 6,
    "9 × 3": (3,) * 9,
    "30, 9 × 2": (30, *(2,) * 9),
    "12 × 4": (4,) * 12,
    "30 × 2": (2,) * 30,
    "48 × 1": (1,) * 48,
}
"""Clips of each patient, as patients × clips."""

GENERATORS: dict[str, Callable[[Tensor, Sequence[int], Generator], Tensor]] = {
    "good: a new patient in every clip": lambda real, clips, random: draw((1,) * len(real), random),
    "good: as many new patients": lambda real, clips, random: draw(clips, random),
    "one training clip, over and over": lambda real, clips, random: _around(real[:1].expand_as(real), 1e-3, random),
    "half of its clips are one": lambda real, clips, random: half_of_one(clips, random),
    "blurred: half of all differences": lambda real, clips, random: 0.5 * draw((1,) * len(real), random),
    "frozen: a quarter of all features stand still": lambda real, clips, random: _frozen(len(real), random),
}
"""What a generator makes of the real clips ``(N, D)`` of such patients."""


class _Simulated(FeatureNetwork):
    name = "simulated"
    num_features = NUM_FEATURES


SPACE = FeatureSpace(_Simulated(), "simulated features", resolution=1e-6)


def say(real: Tensor, clips: Sequence[int], fake: Tensor) -> Saying:
    """Return what the page says of synthetic features ``(M, D)`` beside real ones ``(N, D)`` of such patients."""
    groups = [f"patient {number}" for number, count in enumerate(clips) for _ in range(count)]
    a, b = Sample(real.double(), groups), Sample(fake.double(), [f"clip {number}" for number in range(len(fake))])
    baseline = Baseline([a], len(b))
    space = SPACE.standardised_by(baseline.features)
    repeats = find_repeats(space, a, b)
    if repeats is not None and repeats.found:
        return "too alike"
    _, kernel, *_ = SpaceScorer(space, b, baseline).fidelity(a, "train")
    return _SAYINGS.get(standing(kernel), "cannot tell")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.simulation.verdicts", description="Simulate verdicts.")
    parser.add_argument("--replicates", type=int, default=200, help="comparisons for each cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"| generator | {' | '.join(DESIGNS)} |\n|---{'|---' * len(DESIGNS)}|")
    with tqdm(total=len(GENERATORS) * len(DESIGNS), unit="cell", disable=options.quiet) as bar:
        for name in GENERATORS:
            cells = []
            for design in DESIGNS:
                cells.append(_cell(name, design, options.replicates, options.seed))
                bar.update()
            tqdm.write(f"| {name} | {' | '.join(cells)} |")
    return 0


def _cell(generator: str, design: str, replicates: int, seed: int) -> str:
    """Shares of the sayings in percent: too alike / worse / cannot tell / no worse."""
    random, clips = Generator().manual_seed(seed), DESIGNS[design]
    said: Counter[Saying] = Counter()
    for _ in range(replicates):
        real = draw(clips, random)
        said[say(real, clips, GENERATORS[generator](real, clips, random))] += 1
    order: tuple[Saying, ...] = ("too alike", "worse", "cannot tell", "no worse")
    return " / ".join(f"{100 * said[saying] / replicates:.0f}" for saying in order)


def _around(features: Tensor, spread: float, random: Generator) -> Tensor:
    return features + spread * torch.randn(features.shape, generator=random)


def _frozen(count: int, random: Generator) -> Tensor:
    features = draw((1,) * count, random)
    features[:, : NUM_FEATURES // 4] = -1.5
    return features


if __name__ == "__main__":
    raise SystemExit(main())
