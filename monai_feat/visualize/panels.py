# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Several named lines in each of several panels: what is compared, beside one another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_feat.files import replacing

__all__ = ["Panel", "save_panels"]


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: above it.
        x_label: below its axis.
        lines: name of each line, and its points ``(x, y)``.
        log_x: whether the horizontal axis is logarithmic.
        log_y: whether the vertical axis is.
        level: height of a dashed line to compare with, such as 1 for a ratio; None for none.
    """

    title: str
    x_label: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    log_x: bool = False
    log_y: bool = False
    level: float | None = None


def save_panels(panels: Sequence[Panel], path: str | os.PathLike[str]) -> None:
    """Draw panels beside one another, and write a PNG.

    Args:
        panels: at least one, each with lines.
        path: the file; its folder must exist.

    Raises:
        ValueError: there is no panel, or one without lines.
    """
    if not panels or not all(panel.lines for panel in panels):
        raise ValueError(f"expected panels with lines, got {[(panel.title, list(panel.lines)) for panel in panels]}")
    figure = Figure(figsize=(5.2 * len(panels), 3.8), dpi=120, layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel)
    with replacing(path) as file:
        figure.savefig(file, format="png")


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel(panel.x_label)
    axes.grid(color="#e8eaed", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    for name, points in panel.lines.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="o", markersize=3, linewidth=1.6)
    if panel.level is not None:
        axes.axhline(panel.level, color="#5f6368", linestyle="--", linewidth=1.0)
    axes.set_xscale("log" if panel.log_x else "linear")
    axes.set_yscale("log" if panel.log_y else "linear")
    axes.legend(frameon=False, fontsize=9)
