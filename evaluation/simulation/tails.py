# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate what intervals hold under heavy tails: all of them, and those that the page gives.

    python -m evaluation.simulation.tails --replicates 300      # the table of docs/intervals.md, as Markdown

A cell says: coverage of 95 % intervals if one were always given, share of comparisons in which the page gives one, and
coverage of these.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import torch
from torch import Generator
from tqdm import tqdm

from ..scoring.estimates import Estimate, estimate_frechet, estimate_kernel
from ..scoring.intervals import Kind, distance_interval, interval_ends
from .feature_laws import Law, kernel_truth

__all__ = ["DESIGNS", "LAWS", "Trial", "main", "share_held", "simulate_tails"]

NUM_FEATURES = 50
LEVEL = 0.95
LAWS = ("mean", "heavy tails", "heavier tails", "outlying patients")
DESIGNS = {"48 clips": (48, 48), "100 clips": (100, 100), "48 clips of 12 patients": (48, 12)}
"""Clips and groups of the real side; every synthetic clip is a group of its own."""
_TITLES = {"mean": "normal", "heavy tails": "t, 5 degrees of freedom", "heavier tails": "t, 3 degrees of freedom"}
_ESTIMATES = {"frechet": estimate_frechet, "kernel": estimate_kernel}

Trial = tuple[Estimate, bool]  # what was estimated, and whether the page gives an interval


def simulate_tails(kind: Kind, law: str, clips: int, groups: int, replicates: int, seed: int = 0) -> list[Trial]:
    """Draw comparisons of one law, and note which of them get an interval.

    Args:
        kind: ``"frechet"`` or ``"kernel"``.
        law: one of `LAWS`.
        clips: of each side.
        groups: of the real side.
        replicates: comparisons.
        seed: draws them.
    """
    real, fake = Law(law, "decaying", NUM_FEATURES).sides()
    random, ours, theirs = Generator().manual_seed(seed), torch.arange(clips) % groups, torch.arange(clips)
    names = list(map(str, ours.tolist())), list(map(str, theirs.tolist()))
    found = []
    for _ in range(replicates):
        features = real.draw(clips, ours, random), fake.draw(clips, theirs, random)
        is_given = distance_interval(kind, *features, *names, level=LEVEL) is not None
        found.append((_ESTIMATES[kind](*features, ours, theirs), is_given))
    return found


def share_held(kind: Kind, estimates: Sequence[Estimate], truth: float) -> float:
    """Return the share of intervals around these estimates that hold the truth; NaN of none."""
    ends = [interval_ends(kind, estimate, LEVEL) for estimate in estimates]
    return sum(low <= truth <= high for low, high in ends) / len(ends) if ends else math.nan


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.simulation.tails", description="Simulate heavy tails.")
    parser.add_argument("--replicates", type=int, default=300, help="comparisons for each cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"| interval, law | {' | '.join(DESIGNS)} |\n|---{'|---' * len(DESIGNS)}|")
    kinds: tuple[Kind, ...] = ("frechet", "kernel")
    rows = [(kind, law) for kind in kinds for law in LAWS]
    for kind, law in tqdm(rows, unit="row", disable=options.quiet):
        cells = [_cell(kind, law, *design, options.replicates, options.seed) for design in DESIGNS.values()]
        tqdm.write(f"| `{kind}`, {_TITLES.get(law, law)} | {' | '.join(cells)} |")
    return 0


def _cell(kind: Kind, law: str, clips: int, groups: int, replicates: int, seed: int) -> str:
    trials = simulate_tails(kind, law, clips, groups, replicates, seed)
    every, given = [trial[0] for trial in trials], [estimate for estimate, is_given in trials if is_given]
    is_score = kind == "frechet"  # whose interval is for the mean score at these numbers of clips
    truth = (
        sum(e.value for e in every) / len(every)
        if is_score
        else kernel_truth(*Law(law, "decaying", NUM_FEATURES).sides())
    )
    after = f"{share_held(kind, given, truth):.2f}" if given else "–"
    return f"{share_held(kind, every, truth):.2f}; {len(given) / len(every):.2f}; {after}"


if __name__ == "__main__":
    raise SystemExit(main())
