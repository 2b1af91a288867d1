# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the arms were and took, how the numbers were made, and what they cannot say."""

from __future__ import annotations

from monai_feat.visualize import (
    Cell,
    ColumnKind,
    Html,
    bullets,
    definitions,
    element,
    flat_facts,
    format_number,
    join,
    paragraph,
    percent,
    table,
)

from ..statistics import ALPHA, FEWEST_FOLDS, FEWEST_PATIENTS, LEVEL
from ..statistics.simulated import largest_error, least_coverage
from .findings import Findings

__all__ = ["arms_section", "limits_section", "method_section"]


def arms_section(found: Findings) -> Html:
    """Return what each arm was trained on, and the minutes that it took; what no arm took comes last."""
    study = found.study
    columns: dict[str, ColumnKind] = {"Arm": "text", "Trained on": "wide", "Minutes": "number"}
    rows = [
        [Cell(arm.name, arm.kind), Cell(arm.description or "–"), Cell(format_number(study.minutes.get(arm.name)))]
        for arm in study.arms
    ]
    others = [name for name in study.minutes if name not in {arm.name for arm in study.arms}]
    rows += [[Cell(name), Cell("beside the arms"), Cell(format_number(study.minutes[name]))] for name in others]
    if study.minutes:
        rows.append([Cell("all"), Cell(""), Cell(format_number(sum(study.minutes.values())))])
    return table(columns, rows, "Arms, and what they cost on the machine that the study ran on")


def method_section(found: Findings) -> Html:
    """Return how gains were tested, what was left out, and the settings of the study in full."""
    study = found.study
    parts = [bullets(_statistics(found))]
    if left_out := list(dict.fromkeys(job for one in found.comparisons for job in one.differences.left_out)):
        parts += [element("h3", "Left out"), paragraph("Without scores, and so their counterparts:"), bullets(left_out)]
    if study.settings:
        parts += [element("h3", "The study in full"), definitions(flat_facts(study.settings))]
    if study.command:
        parts += [element("h3", "To make this again"), element("pre", element("code", study.command))]
    if study.versions:
        parts += [element("h3", "Software"), definitions(study.versions)]
    return join(parts)


def _statistics(found: Findings) -> list[str]:
    return [
        "A gain is the difference of both arms in the same fold, with the same seed, on the same clip; mean over "
        "clips, then seeds, then patients, then folds.",
        f"Intervals of {percent(LEVEL)}: Student’s over the means of folds, since all patients of a fold are scored by "
        "the same few networks. One fold has an interval over its patients and trainings, and no verdict.",
        "What was asked is one family, and all other comparisons are another: the intervals of a family hold together "
        f"(Bonferroni), and it errs in {percent(ALPHA)} of studies. In simulation, with 2 to 14 arms that gain "
        f"nothing, it erred in {percent(largest_error())} at most, and {percent(least_coverage())} of intervals at "
        "least held the truth: docs/downstream_statistics.md.",
        "Every verdict is read from the interval of its family. “Helps”: all of it is above 0. “Harms”: all of it is "
        "below. “No relevant difference”: all of it is nearer to 0 than the margin. “Not worse”, where that was asked: "
        "all of it is above a loss as large as the margin. “Cannot be told”: anything else.",
        f"No verdict is given with fewer than {FEWEST_FOLDS} folds, or fewer than {FEWEST_PATIENTS} patients in one.",
    ]


def limits_section(found: Findings) -> Html:
    """Return what a reader must not conclude."""
    points = [
        "That other data, another generator or another segmenter would behave likewise. Folds of one data set share "
        "most of their training patients, which no interval can make up for.",
        "That more training would not change it: all arms took as many steps, which may be too few for large ones.",
        "That “cannot be told” means no difference. Read the interval, and the power.",
        "That a better score is a better diagnosis. Nothing here was seen by a clinician.",
    ]
    if not found.study.evaluations:
        points.append("That synthetic clips are not copies of training clips: no evaluation of them was given.")
    if any(len(one.differences.folds) == 1 for one in found.comparisons):
        points.append("What another split of the patients would give: only one fold was tested.")
    if any(all(len(seeds) == 1 for seeds in one.differences.seeds) for one in found.comparisons):
        points.append("How much another seed would change: every fold was trained with one seed.")
    return bullets(points)
