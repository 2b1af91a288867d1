# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How distances answer to corruptions, repeated with several seeds, and the table of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from monai_feat.metrics.functional import Distance

from ..scoring.spaces import FeatureSpace
from .corruptions import CORRUPTIONS
from .curves import corrupted_features, grows_throughout, measure_levels, split_halves

__all__ = ["Answer", "join_seeds", "markdown_table", "measure_answers"]

_TITLES: dict[Distance, str] = {"kernel": "Kernel", "frechet": "Fréchet"}


@dataclass(frozen=True)
class Answer:
    """How one distance answers to one corruption.

    Attributes:
        title: of the distance, for people.
        corruption: key of the corruption.
        values: by seed, the distance at each level, over splits; level 0 is the floor.
        spreads: by seed, the standard deviation of the floor between splits, which a step is compared with.
    """

    title: str
    corruption: str
    values: tuple[tuple[float, ...], ...]
    spreads: tuple[float, ...]

    @property
    def grew(self) -> tuple[bool, ...]:
        """For each seed, whether the distance grew at every level."""
        return tuple(grows_throughout(values) for values in self.values)

    @property
    def steps(self) -> tuple[tuple[float, ...], ...]:
        """For each seed, how far each level lies above the one before, in spreads of the floor."""
        rows = zip(self.values, self.spreads, strict=True)
        return tuple(tuple((np.diff(values) / spread).tolist()) for values, spread in rows)


def measure_answers(
    clips: Sequence[Tensor],
    groups: Sequence[str],
    spaces: Sequence[FeatureSpace],
    distances: Sequence[Distance],
    splits: int = 8,
    seed: int = 0,
    title: str = "",
) -> list[Answer]:
    """Corrupt one set of clips in all ways, and measure every distance in every space.

    Args:
        clips: uint8 ``(C, T, H, W)``, all of one shape.
        groups: patient of each clip.
        spaces: feature spaces to measure in.
        distances: which distances.
        splits: how often the patients are split in halves.
        seed: of splits and corruptions.
        title: of the progress bars; empty for none.

    Returns:
        Of each space, distance and corruption, an answer of one seed.

    Raises:
        ValueError: there are fewer than four patients, or all splits have one floor.
    """
    halves = split_halves(groups, splits, seed)
    answers = []
    for space in spaces:
        bar = f"{title}, {space.title}" if title else ""
        features = corrupted_features(clips, space.network, seed, bar)
        for distance in distances:
            name = f"{_TITLES[distance]} distance of {space.title}"
            for corruption, levels in measure_levels(space, features, halves, distance, seed).items():
                values = tuple(levels.mean(axis=1).tolist())
                answers.append(Answer(name, corruption, (values,), (_spread(levels[0]),)))
    return answers


def _spread(floor: np.ndarray) -> float:
    spread = float(floor.std(ddof=1))
    if not spread > 0:
        raise ValueError(
            "the floor is the same in all splits, expected it to vary, so that a step can be compared with its spread: "
            "take more splits"
        )
    return spread


def join_seeds(repeats: Iterable[Sequence[Answer]]) -> list[Answer]:
    """Join the answers of several seeds, which are in one order."""
    return [
        Answer(
            seeds[0].title,
            seeds[0].corruption,
            tuple(values for answer in seeds for values in answer.values),
            tuple(spread for answer in seeds for spread in answer.spreads),
        )
        for seeds in zip(*repeats, strict=True)
    ]


def markdown_table(answers: Sequence[Answer]) -> str:
    """Return a row for each corruption and a column for each distance: in how many seeds it grew, and its steps.

    A step is given as mean ± standard deviation over seeds, in spreads of the floor.
    """
    cells = {(answer.corruption, answer.title): answer for answer in answers}
    titles = list(dict.fromkeys(answer.title for answer in answers))
    lines = [f"| grew at every level; steps | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    for corruption in dict.fromkeys(answer.corruption for answer in answers):
        row = [_cell(cells[corruption, title]) for title in titles]
        lines.append(f"| {CORRUPTIONS[corruption].title} | {' | '.join(row)} |")
    counts = _counts(answers)
    totals = [", ".join(map(str, counts[title])) for title in titles]
    return "\n".join([*lines, f"| so many of {len(CORRUPTIONS)}, by seed | {' | '.join(totals)} |"])


def _counts(answers: Sequence[Answer]) -> Mapping[str, Sequence[int]]:
    """With how many corruptions each distance grew at every level, by seed."""
    found: dict[str, list[tuple[bool, ...]]] = {}
    for answer in answers:
        found.setdefault(answer.title, []).append(answer.grew)
    return {title: np.sum(grew, axis=0).tolist() for title, grew in found.items()}


def _cell(answer: Answer) -> str:
    steps = np.array(answer.steps)  # (seeds, levels)
    shown = [f"{step.mean():+.1f}" + (f" ± {step.std(ddof=1):.1f}" if len(step) > 1 else "") for step in steps.T]
    return f"{sum(answer.grew)} of {len(answer.grew)}: {', '.join(shown)}"
