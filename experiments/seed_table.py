# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores over several seeds, as rows of a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch

__all__ = ["Row", "Scores", "cell", "over_seeds"]

Scores = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        clips: which.
        scores: mean over the seeds, by name.
        spread: standard deviation over the seeds; empty where there is one.
    """

    clips: str
    scores: Scores
    spread: Scores


def over_seeds(scores: Sequence[Scores]) -> tuple[Scores, Scores]:
    """Return mean and standard deviation; none of the latter for a single one. NaN stays NaN."""
    values = {name: [each[name] for each in scores] for name in scores[0]}
    means = {name: statistics.fmean(numbers) for name, numbers in values.items()}
    if len(scores) == 1:
        return means, {}
    return means, {name: torch.tensor(numbers, dtype=torch.float64).std().item() for name, numbers in values.items()}


def cell(row: Row, name: str, digits: int) -> str:
    """Write a score with its spread, if any."""
    spread = f" ± {row.spread[name]:.{digits}f}" if name in row.spread else ""
    return f"{row.scores[name]:.{digits}f}{spread}"
