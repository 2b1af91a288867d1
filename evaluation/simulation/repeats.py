# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate how often repeats are found, by patients of the real clips and by what the generator does.

    python -m evaluation.simulation.repeats --replicates 1000      # the table of docs/evaluation.md, as Markdown

Clips are drawn as features: a patient's clips lie around the patient's own centre, at 0.3 of the distance of patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from ..scoring.repeats import count_repeats, most_repeats, nearest_distances

__all__ = ["DESIGNS", "GENERATORS", "draw", "half_of_one", "main", "share_found"]

NUM_FEATURES = 20
WITHIN = 0.3

DESIGNS: dict[str, tuple[int, ...]] = {
    "10 patients with one clip each": (1,) * 10,
    "20 patients with one clip each": (1,) * 20,
    "48 patients with one clip each": (1,) * 48,
    "9 patients with 4 or 3 clips": (4, 4, 3, 3, 3, 3, 3, 3, 3),
    "12 patients with 4 clips each": (4,) * 12,
    "4 patients with 26, 17, 3 and 2 clips": (26, 17, 3, 2),
}
"""Clips of each patient."""


def draw(clips: Sequence[int], generator: Generator, within: float = WITHIN) -> Tensor:
    """Draw the clips of new patients, ``(N, 20)``."""
    centres = torch.randn(len(clips), NUM_FEATURES, generator=generator)
    centres = centres.repeat_interleave(torch.tensor(clips), dim=0)  # (N, 20)
    return centres + within * torch.randn(centres.shape, generator=generator)


def half_of_one(clips: Sequence[int], generator: Generator) -> Tensor:
    """Draw as many clips, half of them of new patients and half of them one clip, ``(N, 20)``."""
    count = sum(clips)
    return torch.cat([draw((1,) * (count - count // 2), generator), draw((count // 2,), generator, 1e-3)])


GENERATORS: dict[str, Callable[[Sequence[int], Generator], Tensor]] = {
    "as diverse as the real clips": lambda clips, generator: draw(clips, generator),
    "a new patient in every clip": lambda clips, generator: draw((1,) * sum(clips), generator),
    "blurred: 0.7 of the distances": lambda clips, generator: 0.7 * draw(clips, generator),
    "half of its clips are one clip": half_of_one,
    "two clips, over and over": lambda clips, generator: draw(
        (sum(clips) // 2, sum(clips) - sum(clips) // 2), generator, 1e-3
    ),
    "one clip, over and over": lambda clips, generator: draw((sum(clips),), generator, 1e-3),
}
"""What a generator does with the clips of the real patients."""


def share_found(design: str, generator: str, replicates: int, seed: int = 0) -> float:
    """Return the share of simulated comparisons in which repeats are found.

    Args:
        design: name in `DESIGNS`.
        generator: name in `GENERATORS`.
        replicates: comparisons.
        seed: draws them.
    """
    clips, make, random = DESIGNS[design], GENERATORS[generator], Generator().manual_seed(seed)
    most, found = most_repeats(sum(clips)), 0
    for _ in range(replicates):
        among_real = nearest_distances(draw(clips, random))
        found += count_repeats(among_real, nearest_distances(make(clips, random))) > most
    return found / replicates


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.simulation.repeats", description="Simulate repeats.")
    parser.add_argument("--replicates", type=int, default=1000, help="comparisons for each cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args(arguments)
    print(f"| generator | {' | '.join(DESIGNS)} |\n|---{'|---' * len(DESIGNS)}|")
    for generator in GENERATORS:
        shares = [share_found(design, generator, options.replicates, options.seed) for design in DESIGNS]
        print(f"| {generator} | {' | '.join(f'{share:.3f}' for share in shares)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
