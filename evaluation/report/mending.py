# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with synthetic clips, in words, by their power in space and time.

`python -m evaluation.sensitivity.faults` tabulates what is named of real clips that were damaged on purpose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monai_feat.visualize import count

from ..results import POWER_MARGIN, PowerRatio
from .score_text import number_within, percent, range_text

__all__ = ["Fault", "find_faults", "mending_text"]

_MOST = 3  # faults that are told
_DETAIL = ("medium", "fine", "finest")
_PICTURE = ("coarse", *_DETAIL)
_CHANGE = ("slow_change", "quick_change", "fast_change")


@dataclass(frozen=True)
class _Kind:
    """A fault: in which bands, and whether there is too little power in them or too much."""

    word: str
    names: tuple[str, ...]
    side: Literal["less", "more"]
    beside: str = "coarse"  # where this is off as much, it is no fault of its own


_KINDS = (
    _Kind("weak contrast", ("coarse",), "less", ""),
    _Kind("too strong contrast", ("coarse",), "more", ""),
    _Kind("blur", _DETAIL, "less"),
    _Kind("noise or too sharp edges", _DETAIL, "more"),
    _Kind("stillness", _CHANGE, "less"),
    _Kind("jumps or too quick motion", _CHANGE[1:], "more"),
    _Kind("too much motion", _CHANGE[:1], "more"),
    _Kind("flicker", ("quick_brightness", "fast_brightness"), "more", "fast_change"),
)


@dataclass(frozen=True)
class Fault:
    """A fault in a word, and the power ratio that shows it most."""

    word: str
    ratio: PowerRatio


def find_faults(power: Sequence[PowerRatio]) -> list[Fault]:
    """Name the faults that the power ratios show; see `PowerRatio.standing` for when one is shown.

    Those of the picture come first, for blur and noise change what moves too; of each kind the gravest.
    """
    ratios = {ratio.name: ratio for ratio in power}
    found = [Fault(kind.word, ratio) for kind in _KINDS if (ratio := _worst(kind, ratios)) is not None]
    return sorted(found, key=lambda fault: (fault.ratio.name not in _PICTURE, -abs(math.log(fault.ratio.value))))


def _worst(kind: _Kind, ratios: dict[str, PowerRatio]) -> PowerRatio | None:
    beside = ratios[kind.beside].value if kind.beside in ratios else 1.0
    sign = 1 if kind.side == "more" else -1
    shown = [ratio for name in kind.names if (ratio := ratios.get(name)) and ratio.standing == kind.side]
    shown = [ratio for ratio in shown if sign * math.log(ratio.value / beside) > math.log(POWER_MARGIN)]
    return max(shown, key=lambda ratio: sign * ratio.value, default=None)


def mending_text(power: Sequence[PowerRatio]) -> str:
    """Return in a sentence what to mend first."""
    if faults := find_faults(power):
        return f"What to mend first: {', then '.join(_fault_text(fault) for fault in faults[:_MOST])}."
    unclear = [ratio for ratio in power if ratio.standing == "unclear"]
    if unclear:
        return (
            "What to mend does not show in power by bands of space and time: no band is surely off by a factor of "
            f"{POWER_MARGIN}; of {len(unclear)} of {count(len(power), 'band')} it cannot be told with these patients."
        )
    return (
        f"No blur, noise, flicker or stillness: power in all bands is within {POWER_MARGIN} times that of real clips."
    )


def _fault_text(fault: Fault) -> str:
    ratio = fault.ratio
    within = f", {percent(ratio.interval.level)} interval {range_text(ratio.interval)}" if ratio.interval else ""
    value = number_within(ratio.value, ratio.interval)
    return f"{fault.word} ({ratio.title.lower()} has {value} of the power of real clips{within})"
