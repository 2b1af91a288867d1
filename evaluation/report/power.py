# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Power of synthetic over real clips, by bands of space and time."""

from __future__ import annotations

from collections.abc import Sequence

from monai_feat.visualize import Html, IntervalRow, element, interval_plot, join, paragraph

from ..results import POWER_MARGIN, PowerRatio
from .mending import find_faults, mending_text

__all__ = ["power_section"]

_GROUPS = {
    "Detail, from coarse to finest": ("coarse", "medium", "fine", "finest"),
    "Change of coarse structure": ("slow_change", "quick_change", "fast_change"),
    "Change of brightness": ("slow_brightness", "quick_brightness", "fast_brightness"),
}


def power_section(power: Sequence[PowerRatio]) -> Html:
    """Return what to mend, and a plot for each group of bands."""
    explained = paragraph(
        "Power is the mean square of what a clip holds at a fineness of detail (bands end at 1/8, 1/4 and 3/8 cycles a "
        "pixel) and at a rate of change (1/10 and 1/4 cycles a frame), of synthetic clips over real ones. At 1 they "
        f"agree; within the shaded factor of {POWER_MARGIN} nobody should care. Less detail is blur, more of it noise; "
        "less change is stillness, more of it flicker or jumps."
    )
    faults = {fault.ratio.name: fault.word for fault in find_faults(power)}
    plots = [_plot(title, [r for r in power if r.name in names], faults) for title, names in _GROUPS.items()]
    return join([paragraph(mending_text(power)), explained, element("div", *plots, class_="grid large")])


def _plot(title: str, power: Sequence[PowerRatio], faults: dict[str, str]) -> Html:
    if not power:
        return element("figure", element("figcaption", element("b", title), ". There is none on either side."))
    return interval_plot([_row(ratio, faults.get(ratio.name, "")) for ratio in power], title, "synthetic over real")


def _row(ratio: PowerRatio, fault: str) -> IntervalRow:
    return IntervalRow(
        label=ratio.title,
        value=ratio.value,
        interval=(ratio.interval.low, ratio.interval.high) if ratio.interval else None,
        band=(1 / POWER_MARGIN, POWER_MARGIN),
        centre=1.0,
        note=fault,
    )
