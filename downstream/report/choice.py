# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which clips a report should show: those that an arm changed most, for the better and for the worse."""

from __future__ import annotations

from collections.abc import Iterable

from ..metric_table import METRICS
from ..scores import Score

__all__ = ["extreme_clips"]


def extreme_clips(
    scores: Iterable[Score], arm: str, reference: str, metric: str = "dice", count: int = 2
) -> list[tuple[Score, float]]:
    """Find the clips of the largest gain and of the largest loss, one of each patient at most.

    Args:
        scores: of a study.
        arm: that is compared.
        reference: that it is compared with, at equal fraction, fold, seed and clip.
        metric: of the scores.
        count: clips of each kind, at most.

    Returns:
        Scores of the arm with their gain over the reference, positive for better; the best first, the worst last.

    Raises:
        ValueError: the two arms have no clip in common.
    """
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    mine = [score for score in scores if score.metric == metric and score.arm in (arm, reference)]
    base = {score.key[1:]: score.value for score in mine if score.arm == reference}
    gains = [(s, sign * (s.value - base[s.key[1:]])) for s in mine if s.arm == arm and s.key[1:] in base]
    if not gains:
        raise ValueError(f"arms {arm!r} and {reference!r} have no {metric} of the same clip in common")
    falling = sorted(gains, key=lambda pair: -pair[1])
    best, worst = _of_different_patients(falling), _of_different_patients(falling[::-1])
    chosen = dict.fromkeys([*best[:count], *reversed(worst[: min(count, max(0, len(best) - count))])])
    return list(chosen)


def _of_different_patients(gains: list[tuple[Score, float]]) -> list[tuple[Score, float]]:
    first: dict[str, tuple[Score, float]] = {}
    for score, gain in gains:
        first.setdefault(score.patient, (score, gain))
    return list(first.values())
