# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts the report together and writes it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_feat.files import replacing, write_text
from monai_feat.visualize import Html, Page, bullets, notice, paragraph

from ..results import Evaluation
from .first_screen import first_screen
from .gate import gate_section
from .measurements import curves_section, distributions_section
from .method import limits_section, method_section
from .pictures import PLANS, PicturePlan, clips_section
from .power import power_section
from .privacy import privacy_section
from .score_text import count, side_name
from .scores import scores_section
from .verdict import Verdict, verdict

__all__ = ["BUDGET", "render_report", "report_data", "write_report"]

BUDGET = 10_000_000
"""Bytes of a page, at most: what mail servers let pass."""


def write_report(evaluation: Evaluation, folder: str | os.PathLike[str], budget: int = BUDGET) -> Path:
    """Write ``report.html`` and ``report.json``, each complete or not at all.

    Args:
        evaluation: what was found.
        folder: made where it is missing; reports that are there are replaced.
        budget: bytes of the page, at most. Where pictures take more, fewer and smaller ones are shown, and it says so.

    Returns:
        Path of the page.

    Raises:
        ValueError: the page is too large even without pictures; the JSON file is written then.
        OSError: a file cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(report_data(evaluation), allow_nan=False, indent=1)
    write_text(folder / "report.json", f"{data}\n")
    page = render_report(evaluation, budget)
    with replacing(folder / "report.html") as file:
        file.write(page)
    return folder / "report.html"


def report_data(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the JSON file holds: everything but pixels, and the verdict in words.

    JSON has no numbers that are not finite. They are null, and ``not_finite`` names each of them, such as
    ``{"scores.0.value": "nan"}``. What JSON has no type for, such as a path, is written as text.
    """
    lost: dict[str, str] = {}
    found = verdict(evaluation)
    words = {"tone": found.tone, "sentences": list(found.sentences)}
    data: dict[str, Any] = _finite({"verdict": words, **evaluation.to_dict()}, "", lost)
    return {**data, "not_finite": lost}


def _finite(value: Any, where: str, lost: dict[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item, f"{where}.{key}" if where else str(key), lost) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item, f"{where}.{number}", lost) for number, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        lost[where] = str(float(value))
        return None
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def render_report(evaluation: Evaluation, budget: int = BUDGET) -> bytes:
    """Return the page, with as many pictures as fit the budget.

    Raises:
        ValueError: the page is too large even without pictures.
    """
    for plan in PLANS:
        page = _page(evaluation, plan).render().encode("utf-8")
        if len(page) <= budget:
            return page
    raise ValueError(
        f"the page takes {len(page)} bytes without pictures, the budget is {budget}; report.json has it all"
    )


def _page(evaluation: Evaluation, plan: PicturePlan) -> Page:
    page = Page(evaluation.title, _subtitle(evaluation))
    page.opening(first_screen(evaluation, plan), _box(evaluation, verdict(evaluation), plan))
    page.section("Scores against floors", scores_section(evaluation.scores))
    if evaluation.power:
        page.section("What to mend", power_section(evaluation.power))
    page.section("Clips", clips_section(evaluation, plan))
    page.section("Memorisation", gate_section(evaluation.gate, evaluation.frame_rate, plan))
    if evaluation.membership is not None:
        page.section("Privacy of the weights", privacy_section(evaluation.membership))
    if evaluation.distributions:
        page.section("Properties of the clips", distributions_section(evaluation.distributions))
    if evaluation.curves:
        page.section("What the distances see", curves_section(evaluation.curves, evaluation.scores))
    page.section("How this was made", method_section(evaluation))
    page.section("What these numbers cannot say", limits_section(evaluation))
    return page


def _subtitle(evaluation: Evaluation) -> str:
    sizes = [
        f"{side_name(side).lower()}: {facts['clips']} clips"
        for side, facts in evaluation.sources.items()
        if "clips" in facts
    ]
    return " · ".join([*sizes, f"protocol {evaluation.fingerprint}" if evaluation.fingerprint else ""]).strip(" ·")


def _box(evaluation: Evaluation, found: Verdict, plan: PicturePlan) -> Html:
    """The box on top: warnings before numbers."""
    warnings = list(evaluation.warnings)
    parts = [bullets(warnings)] if warnings else []
    parts += [paragraph(sentence) for sentence in found.sentences]
    if plan != PLANS[0]:
        clips, pairs = count(plan.clips, "clip"), count(plan.pairs, "pair")
        small = f"at most {clips} of each side and {pairs}, {plan.width} pixels wide"
        parts.append(paragraph(f"To keep the page light, it shows {small}.", aside=True))
    return notice(found.tone, "Read this first" if warnings else "In short", *parts)
