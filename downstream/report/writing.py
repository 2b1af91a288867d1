# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts the report together and writes it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from monai_feat.files import write_text
from monai_feat.visualize import Html, Page, bullets, count, notice, paragraph

from ..scores import write_scores
from .data import comparisons_csv, report_data
from .doses import doses_section, patients_section
from .examples import PLANS, PicturePlan, examples_section
from .findings import Findings, find
from .gains import gains_section, means_section
from .generator import Fidelity, generator_section, read_fidelity
from .inputs import ReportInput
from .method import arms_section, limits_section, method_section
from .verdict import Summary, summarise

__all__ = ["BUDGET", "write_report"]

BUDGET = 10_000_000
"""Bytes of a page, at most: what mail servers let pass."""


def write_report(out: str | os.PathLike[str], study: ReportInput, budget: int = BUDGET) -> Path:
    """Write ``report.html``, ``report.json``, ``scores.csv`` and ``comparisons.csv``, each complete or not at all.

    Args:
        out: folder, made where it is missing; a report that is there is replaced.
        study: what was done and scored.
        budget: bytes of the page, at most. Where pictures take more, fewer and smaller ones are shown.

    Returns:
        Path of the page.

    Raises:
        ValueError: scores do not pair, an evaluation is not a report, or the page is too large even without pictures.
        OSError: a file cannot be read or written.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    write_scores(folder / "scores.csv", study.scores)
    fidelity = [read_fidelity(label, path) for label, path in study.evaluations.items()]
    found = find(study)
    summary = summarise(found, fidelity)
    write_text(folder / "comparisons.csv", comparisons_csv(found))
    data = json.dumps(report_data(found, summary, fidelity), allow_nan=False, indent=1)
    write_text(folder / "report.json", f"{data}\n")
    write_text(folder / "report.html", _render(found, summary, fidelity, budget))
    return folder / "report.html"


def _render(found: Findings, summary: Summary, fidelity: Sequence[Fidelity], budget: int) -> str:
    for plan in PLANS:
        page = _page(found, summary, fidelity, plan).render()
        size = len(page.encode("utf-8"))
        if size <= budget:
            return page
    raise ValueError(f"the page takes {size} bytes without pictures, the budget is {budget}; report.json has it all")


def _page(found: Findings, summary: Summary, fidelity: Sequence[Fidelity], plan: PicturePlan) -> Page:
    page = Page(found.study.title, _subtitle(found))
    page.opening(_box(found, summary))
    page.section("Does it help?", gains_section(found))
    if doses := doses_section(found):
        page.section("Dose and response", doses)
    if slopes := patients_section(found):
        page.section("Patient by patient", slopes)
    page.section("Best and worst clips", examples_section(found, plan))
    if fidelity or found.study.samples:
        page.section("The generator’s clips", generator_section(found, fidelity, plan))
    page.section("All arms, all scores", means_section(found))
    page.section("Arms and cost", arms_section(found))
    page.section("How this was made", method_section(found))
    page.section("What these numbers cannot say", limits_section(found))
    return page


def _subtitle(found: Findings) -> str:
    scores, baselines = found.study.scores, found.study.named("baseline")  # which nobody asked for
    sizes: dict[str, set[object]] = {
        "patient": {score.patient for score in scores},
        "clip": {score.clip for score in scores},
        "fold": {score.fold for score in scores},
        "seed": {score.seed for score in scores},
        "arm": {score.arm for score in scores if score.arm not in baselines},
    }
    return " · ".join(count(len(names), noun) for noun, names in sizes.items())


def _box(found: Findings, summary: Summary) -> Html:
    """The box on top: what a reader must know, then the answer."""
    parts = [paragraph(sentence) for sentence in summary.sentences]
    if found.study.notes:
        parts.insert(0, bullets(found.study.notes))
    return notice(summary.tone, "Read this first" if found.study.notes else "In short", *parts)
