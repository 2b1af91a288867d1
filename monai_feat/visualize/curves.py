# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Curves of a training run, from TensorBoard's files to a picture."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

from monai_feat.files import replacing

__all__ = ["latest_scalars", "read_tensorboard_scalars", "save_loss_curves"]

_COLOURS = ("#1a73e8", "#d93025", "#188038", "#9334e6", "#e8710a", "#00796b")
# A curve whose largest value exceeds its smallest by this factor is drawn on a logarithmic axis.
_WIDE = 20.0


def save_loss_curves(
    curves: Mapping[str, Sequence[tuple[int, float]]], path: str | os.PathLike[str], num_columns: int = 2
) -> None:
    """Draw one panel for each curve: its values in a light line, a smoothed line above it, the last smoothed value.

    The value axis is logarithmic where all values are positive and span more than a factor of 20. Values that are not
    finite are left out of the lines and marked above the step axis by a red cross.

    Args:
        curves: title of each panel, and its ``(step, value)`` pairs in any order.
        path: the PNG to write; its folder must exist.
        num_columns: panels beside one another.

    Raises:
        ValueError: there are no curves, or one of them is empty.
    """
    empty = [title for title, points in curves.items() if not points]
    if not curves or empty:
        raise ValueError(f"expected at least one curve with values, got {len(curves)} curves, without values: {empty}")
    columns = min(num_columns, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(6.0 * columns, 3.4 * rows), dpi=120, layout="constrained")
    for i, (title, points) in enumerate(curves.items()):
        _draw(figure.add_subplot(rows, columns, i + 1), title, points, _COLOURS[i % len(_COLOURS)])
    with replacing(path) as file:
        figure.savefig(file, format="png")


def read_tensorboard_scalars(log_dir: str | os.PathLike[str]) -> dict[str, list[tuple[int, float]]]:
    """Read every scalar of a TensorBoard folder, all points of it.

    Args:
        log_dir: the folder that holds the event files of one run.

    Returns:
        Tag of each scalar, in alphabetical order, and its ``(step, value)`` pairs in the order of steps.

    Raises:
        FileNotFoundError: there are no event files in `log_dir`.
    """
    folder = Path(log_dir)
    if not any(folder.glob("*tfevents*")):
        raise FileNotFoundError(f"{folder}: no TensorBoard event files (*tfevents*) in this folder")
    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
    events.Reload()
    return {
        tag: sorted((int(event.step), float(event.value)) for event in events.Scalars(tag))
        for tag in sorted(events.Tags()[SCALARS])
    }


def latest_scalars(log_dir: str | os.PathLike[str]) -> dict[str, float]:
    """Read the last value of every scalar of a TensorBoard folder.

    Args:
        log_dir: the folder that holds the event files of one run.

    Raises:
        FileNotFoundError: there are no event files in `log_dir`.
    """
    return {tag: points[-1][1] for tag, points in read_tensorboard_scalars(log_dir).items()}


def _draw(axes: Axes, title: str, points: Sequence[tuple[int, float]], colour: str) -> None:
    steps, values = np.array(sorted(points), dtype=np.float64).T
    finite = np.isfinite(values)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
    axes.set_xlabel("step")
    axes.grid(color="#e8eaed", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    if finite.any():
        _draw_lines(axes, steps[finite], values[finite], colour)
    axes.plot(steps[~finite], np.full((~finite).sum(), 0.02), "rx", transform=axes.get_xaxis_transform())


def _draw_lines(axes: Axes, steps: npt.NDArray[np.float64], values: npt.NDArray[np.float64], colour: str) -> None:
    smooth = _smoothed(values)
    few = len(values) < 30
    axes.plot(steps, values, color=colour, alpha=0.3, linewidth=1.0, marker="o" if few else "", markersize=3)
    axes.plot(steps, smooth, color=colour, linewidth=1.8)
    axes.text(1.0, 1.02, f"last {smooth[-1]:.4g}", transform=axes.transAxes, ha="right", va="bottom", color="#5f6368")
    if values.min() > 0 and values.max() > _WIDE * values.min():
        axes.set_yscale("log")


def _smoothed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over a centred window of a twentieth of the curve, cut off at both ends; it does not lag behind."""
    reach = len(values) // 40
    total = np.concatenate([[0.0], np.cumsum(values)])
    centre = np.arange(len(values))
    first, end = np.maximum(centre - reach, 0), np.minimum(centre + reach + 1, len(values))
    means: npt.NDArray[np.float64] = (total[end] - total[first]) / (end - first)
    return means
