# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The table and the curves of quality by steps, and where a curve has its knee."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.seed_table import Row, cell
from monai_feat.files import replacing, write_text

__all__ = ["PSNR", "SECONDS", "StepsRow", "describe", "find_knee", "save_curves", "write_report"]

DISTANCES = ("random features", "descriptors")
SECONDS, PSNR = "seconds a clip", "PSNR (dB)"
TOLERANCE = 0.05  # of the distance with most steps
_COLOURS = ("#1a73e8", "#d93025", "#188038", "#9334e6")


@dataclass(frozen=True)
class StepsRow(Row):
    """One line of the table: clips of a sampler with so many steps, or real ones.

    Attributes:
        steps: of the sampler; 0 for real clips.
        by_seed: the scores themselves.
    """

    steps: int
    by_seed: Mapping[str, tuple[float, ...]]


def curves_of(rows: Sequence[StepsRow]) -> dict[str, list[StepsRow]]:
    """Group the rows of sampled clips by sampler, in descending number of steps."""
    curves: dict[str, list[StepsRow]] = {}
    for row in sorted((row for row in rows if row.steps), key=lambda row: -row.steps):
        curves.setdefault(row.clips, []).append(row)
    return curves


def excess(row: StepsRow, longest: StepsRow, name: str) -> float:
    """Return by which share a mean distance exceeds that with most steps."""
    return row.scores[name] / longest.scores[name] - 1


def find_knee(curve: Sequence[StepsRow]) -> int:
    """Find the fewest steps down to which neither distance exceeds that with most steps by more than 5 %.

    Args:
        curve: rows of one sampler, in descending number of steps.
    """
    knee = curve[0].steps
    for row in curve:
        if max(excess(row, curve[0], name) for name in DISTANCES) > TOLERANCE:
            break
        knee = row.steps
    return knee


def describe(rows: Sequence[StepsRow]) -> Iterator[str]:
    """Yield the lines of a Markdown table, and where the knees are."""
    curves = curves_of(rows)
    yield f"| clips | steps | {SECONDS} | {' | '.join(f'{name} | to most steps' for name in DISTANCES)} | {PSNR} |"
    yield "|---" * (4 + 2 * len(DISTANCES)) + "|"
    for row in rows:
        cells = [row.clips, str(row.steps or ""), _cell(row, SECONDS, 2)]
        for name in DISTANCES:
            compared = row.steps and row is not curves[row.clips][0]
            cells += [_cell(row, name, 3), f"{excess(row, curves[row.clips][0], name):+.1%}" if compared else ""]
        yield f"| {' | '.join([*cells, _cell(row, PSNR, 1)])} |"
    yield ""
    for sampler, curve in curves.items():
        yield f"Knee of {sampler}: {find_knee(curve)} steps."


def _cell(row: Row, name: str, digits: int) -> str:
    return cell(row, name, digits) if name in row.scores else ""


def save_curves(rows: Sequence[StepsRow], path: Path) -> None:
    """Draw each distance by steps and seconds, with the spread over seeds, over the lines of real clips."""
    figure = Figure(figsize=(11, 4.6), dpi=120, layout="constrained")
    for number, name in enumerate(DISTANCES, start=1):
        _draw(figure.add_subplot(1, len(DISTANCES), number), rows, name)
    with replacing(path) as file:
        figure.savefig(file, format="png")


def _draw(axes: Axes, rows: Sequence[StepsRow], name: str) -> None:
    curves = curves_of(rows)
    axes.set_xscale("log")
    for colour, (sampler, curve) in zip(_COLOURS, curves.items(), strict=False):
        steps, means = [row.steps for row in curve], [row.scores[name] for row in curve]
        spread = [row.spread.get(name, 0.0) for row in curve]
        axes.errorbar(steps, means, spread, color=colour, marker="o", markersize=4, capsize=3, label=sampler)
    for row, style in zip((row for row in rows if not row.steps), ("-", "--"), strict=False):
        axes.axhline(row.scores[name], color="#5f6368", linestyle=style, linewidth=1, label=row.clips)
    shown = sorted({row.steps for curve in curves.values() for row in curve})
    _label_steps(axes, shown, [str(steps) for steps in shown], "steps")
    axes.set_ylabel("kernel distance from real clips")
    axes.set_title(name, loc="left", fontweight="bold")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    top = axes.twiny()
    top.set_xscale("log")
    top.set_xlim(axes.get_xlim())
    _label_steps(top, shown, [f"{_mean_seconds(curves, steps):.2g}" for steps in shown], SECONDS)


def _label_steps(axes: Axes, steps: Sequence[int], labels: Sequence[str], title: str) -> None:
    axes.set_xticks(steps, labels)
    axes.minorticks_off()
    axes.set_xlabel(title)


def _mean_seconds(curves: Mapping[str, Sequence[StepsRow]], steps: int) -> float:
    """Average over the samplers, all of which evaluate the network once a step."""
    found = [row.scores[SECONDS] for curve in curves.values() for row in curve if row.steps == steps]
    return sum(found) / len(found)


def write_report(rows: Sequence[StepsRow], modality: str, plan: Mapping[str, Any], out: Path) -> None:
    """Write ``report.json``, ``report.md`` and ``curves.png``.

    Args:
        rows: of the table.
        modality: of the clips.
        plan: what was compared.
        out: folder of the three.
    """
    knees = {sampler: find_knee(curve) for sampler, curve in curves_of(rows).items()}
    report = {"modality": modality, "plan": plan, "knees": knees, "rows": [asdict(row) for row in rows]}
    out.mkdir(parents=True, exist_ok=True)
    texts = {"report.json": json.dumps(report, indent=1, default=str), "report.md": "\n".join(describe(rows))}
    for name, text in texts.items():
        write_text(out / name, f"{text}\n")
    save_curves(rows, out / "curves.png")
