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

from ..statistics import ALPHA, LEVEL
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
    trust = {kind: f" In simulation at about this size it held the truth in {percent(share)} of studies at least."
             for kind, share in found.coverage.items()}  # fmt: skip
    return [
        "A gain is the difference of the arm and the reference in the same fold, with the same seed, on the same clip; "
        "mean over clips, then seeds, then patients.",
        f"Intervals of {percent(LEVEL)}: a t interval over the variances of patients, trainings and folds, with the "
        f"degrees of freedom of Satterthwaite.{trust.get('components', '')}",
        "Beside them, percentiles of a bootstrap over folds, and patients and seeds within them."
        f"{trust.get('bootstrap', '')} It decides nothing.",
        f"“Helps” and “harms”: the two-sided t test of the same variances, corrected by Holm for all arms and "
        f"fractions, p under {ALPHA:g}. “No relevant difference”: two one-sided tests against ± the smallest effect, "
        "corrected likewise. “Cannot be told”: neither. An interval without 0 may not be enough after correction.",
        "Wilcoxon’s signed-rank test takes patients for independent, though a few trainings scored all of them: it "
        "errs more often than it says, and decides nothing.",
        "How often each of these errs where the truth is known: docs/downstream_statistics.md.",
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
    if any(one.effect.degrees[1] == 0 for one in found.comparisons):
        points.append("How much another seed would change: every fold was trained with one seed.")
    return bullets(points)
