# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What may be said about an arm."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["VERDICTS", "Verdict", "judge"]

Verdict = Literal["helps", "harms", "no relevant difference", "cannot be told"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def judge(gain: float, p_different: float, p_equivalent: float, alpha: float = 0.05) -> Verdict:
    """Return what two tests together allow to say, both corrected for the number of arms.

    A difference that is shown to be smaller than the smallest effect is not relevant, even where it is shown not to be
    zero. What neither test shows cannot be told: that is no proof of anything.

    Args:
        gain: mean, positive for better.
        p_different: of no difference.
        p_equivalent: of a difference at least as large as the smallest effect.
        alpha: of each test.

    Example:
        >>> judge(0.03, 0.01, 0.8), judge(0.003, 0.6, 0.01), judge(0.03, 0.2, 0.6)
        ('helps', 'no relevant difference', 'cannot be told')
    """
    if p_equivalent < alpha:
        return "no relevant difference"
    if p_different < alpha:
        return "helps" if gain > 0 else "harms"
    return "cannot be told"
