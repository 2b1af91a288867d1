# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What may be said about an arm: read from one interval, so that no word can be against it."""

from __future__ import annotations

from typing import Literal, get_args

from ..questions import Ask
from .differences import Differences

__all__ = ["FEWEST_FOLDS", "FEWEST_PATIENTS", "VERDICTS", "Verdict", "judge", "why_not"]

Verdict = Literal["helps", "harms", "no relevant difference", "not worse", "cannot be told"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

FEWEST_FOLDS = 2
"""With one fold, its luck is in every gain, and nothing tells how large it is."""
FEWEST_PATIENTS = 10
"""In a fold. With fewer, skewed gains and rare jumps break the promised error rate (docs/downstream_statistics.md)."""


def judge(interval: tuple[float, float], margin: float, ask: Ask = "benefit") -> Verdict:
    """Return what an interval of a gain allows to say, as a whole; it says nothing where it could be either.

    Args:
        interval: of the gain, positive for better, simultaneous with those of the other questions.
        margin: smallest difference that matters.
        ask: of non-inferiority, it is enough that a loss is smaller than the margin.

    Example:
        >>> judge((0.01, 0.05), 0.02), judge((-0.01, 0.01), 0.02), judge((-0.01, 0.05), 0.02)
        ('helps', 'no relevant difference', 'cannot be told')
        >>> judge((-0.01, 0.05), 0.02, "non-inferiority")
        'not worse'
    """
    low, high = interval
    if -margin < low and high < margin and ask != "non-inferiority":
        return "no relevant difference"
    if low > 0:
        return "helps"
    if low > -margin and ask == "non-inferiority":
        return "not worse"
    return "harms" if high < 0 else "cannot be told"


def why_not(differences: Differences) -> str:
    """Say why a design cannot hold its error rate, so that no verdict is given; empty where it can."""
    if len(differences.folds) < FEWEST_FOLDS:
        return "one fold was tested, and its luck cannot be told from a gain: test more folds"
    fewest = min(map(len, differences.patients))
    if fewest < FEWEST_PATIENTS:
        return f"a fold has {fewest} patients, and a few of them can decide: take {FEWEST_PATIENTS} in a fold or more"
    return ""
