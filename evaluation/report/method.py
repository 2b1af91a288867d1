# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How an evaluation was made, and what its numbers cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monai_feat.visualize import (
    ColumnKind,
    Html,
    bullets,
    definitions,
    element,
    fact_text,
    flat_facts,
    format_number,
    join,
    paragraph,
    plain_name,
    table,
)

from ..results import Evaluation
from .score_text import side_name

__all__ = ["limits_section", "method_section"]


def method_section(evaluation: Evaluation) -> Html:
    """Return sources, the protocol in full, the command, and versions of the software."""
    fingerprint = element("code", evaluation.fingerprint or "none")
    parts = [
        paragraph("Protocol fingerprint ", fingerprint, ". Scores may be compared only where it is the same."),
        element("h3", "Sources"),
        _sources(evaluation.sources),
        element("h3", "Protocol: all that moves a number"),
        definitions(flat_facts(evaluation.protocol)) if evaluation.protocol else paragraph("Not recorded."),
    ]
    if evaluation.command:
        parts += [element("h3", "To make this again"), element("pre", element("code", evaluation.command))]
    if evaluation.versions:
        parts += [element("h3", "Software"), definitions(evaluation.versions)]
    took = [paragraph(f"It took {_duration(evaluation.seconds)}.", aside=True)] if evaluation.seconds else []
    return join([*parts, *took])


def _sources(sources: Mapping[str, Mapping[str, Any]]) -> Html:
    if not sources:
        return paragraph("Not recorded.")
    keys = dict.fromkeys(key for facts in sources.values() for key in facts)
    rows = [
        [plain_name(key), *(fact_text(facts[key]) if key in facts else "–" for facts in sources.values())]
        for key in keys
    ]
    columns: dict[str, ColumnKind] = {"": "text", **dict.fromkeys((side_name(side) for side in sources), "wide")}
    return table(columns, rows, "Where the clips came from, as found")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{format_number(seconds, 2)} s"


def limits_section(evaluation: Evaluation) -> Html:
    """Return what a reader must not conclude: what holds for every evaluation, and what this one lacks."""
    return bullets([*_always(), *_lacking(evaluation)])


def _always() -> Sequence[str]:
    return (
        "That the clips are right. Every score compares statistics of pictures; none knows anatomy or disease. A clip "
        "can score well and show what no patient has.",
        "That the clips are of use. Whether they help to train a network is measured by training one.",
        "How another run would score. Intervals hold what the choice of clips does to a number; another training, "
        "another seed or another sampler is not in them.",
        "How near the synthetic clips are to other hospitals, devices or patients than those of the reference.",
        "Anything next to a number of another protocol: a change of resampler, stride, codec or number of clips moves "
        "a distance more than most changes of a model do.",
        "That nothing was memorised. The gate finds near copies in whole clips and frames; a copied part, or what a "
        "clip gives away about a person in other ways, it does not see.",
    )


def _lacking(evaluation: Evaluation) -> list[str]:
    found = []
    if not any(score.reference == "held_out" for score in evaluation.scores):
        found.append("How the clips compare with unseen ones: the reference here holds training clips only.")
    if evaluation.gate is None:
        found.append("Whether training clips were copied: the gate was not run.")
    if not evaluation.curves:
        found.append("What these distances see on this data: no corruptions were tried.")
    if any(score.interval is None for score in evaluation.scores):
        found.append("How uncertain every score is: some have no interval.")
    return found
