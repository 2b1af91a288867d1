# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study asks, declared before it is run: which arm, against which, and what would be an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .arms import REFERENCE, Arm

__all__ = ["Ask", "Question", "leading_arm"]

Ask = Literal["benefit", "non-inferiority", "equivalence"]


@dataclass(frozen=True)
class Question:
    """One comparison, with what is asked of it.

    Attributes:
        arm: that is looked at.
        ask: ``benefit``: is it better; ``non-inferiority``: is it worse by less than the margin; ``equivalence``: does
            it differ by less than the margin, to either side.
        against: the arm that it is compared with.
        margin: the smallest difference that matters, in the unit of the metric; None for that of the study.
        fraction: of the real data; None for the largest at which both arms exist.
    """

    arm: str
    ask: Ask = "benefit"
    against: str = REFERENCE
    margin: float | None = None
    fraction: float | None = None

    def __post_init__(self) -> None:
        if self.ask not in get_args(Ask):
            raise ValueError(f"a question asks for one of {', '.join(get_args(Ask))}; got {self.ask!r}")
        if self.arm == self.against:
            raise ValueError(f"a question compares two arms; got {self.arm!r} against itself")
        if self.margin is not None and not 0 < self.margin < math.inf:
            raise ValueError(f"the margin of a question is above 0; got {self.margin}")

    @property
    def cell(self) -> tuple[str, str, float | None]:
        """What is compared, whatever is asked of it."""
        return (self.arm, self.against, self.fraction)


def leading_arm(arms: Sequence[Arm]) -> str | None:
    """Return the arm that a study asks about where its file does not say: chosen by its dose, not by its score.

    It is the synthetic arm of ratio 1, or nearest to it; where none has a dose, the first synthetic one.
    """
    synthetic = [arm for arm in arms if arm.kind == "synthetic"]
    dosed = [(abs(arm.dose - 1), arm.name) for arm in synthetic if arm.dose is not None]
    names = [name for _, name in sorted(dosed, key=lambda pair: pair[0])] or [arm.name for arm in synthetic]
    return names[0] if names else None
