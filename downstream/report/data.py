# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The numbers of a report for programs: one JSON object, and the comparisons as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from monai_feat.visualize import fact_text

from ..metric_table import METRICS
from ..statistics import LEVEL, Comparison, Gain
from ..statistics.simulated import largest_error, least_coverage
from .findings import ArmMean, Findings
from .generator import Fidelity
from .verdict import Summary

__all__ = ["comparisons_csv", "report_data"]


def report_data(found: Findings, summary: Summary, fidelity: Sequence[Fidelity]) -> dict[str, Any]:
    """Return what the JSON file holds: everything but pixels and single scores, which are in ``scores.csv``."""
    study = found.study
    return {
        "verdict": asdict(summary),
        "title": study.title,
        "reference": study.reference,
        "metric": study.metric,
        "smallest_effect": study.smallest_effect,
        "surface_tolerance": study.surface_tolerance,
        "lead": {"arm": found.lead.arm, "fraction": found.lead.fraction} if found.lead else None,
        "arms": [{**asdict(arm), "minutes": study.minutes.get(arm.name)} for arm in study.arms],
        "minutes": dict(study.minutes),
        "declared": [_comparison(one) for one in found.declared],
        "others": [_comparison(one) for one in found.others],
        "against_controls": [_comparison(one) for one in found.against_controls],
        "secondary": {metric: [_gain(one) for one in rows] for metric, rows in found.secondary.items()},
        "means": [
            {"arm": mean.arm, "fraction": mean.fraction, "metric": mean.metric, **_mean(mean)} for mean in found.means
        ],
        "simulated": {"least_coverage": least_coverage(), "largest_error": largest_error()},
        "generator": [asdict(one) for one in fidelity],
        "notes": list(study.notes),
        "settings": _plain(study.settings),
        "command": study.command,
        "versions": dict(study.versions),
    }


def comparisons_csv(found: Findings) -> str:
    """Return a row for each arm, fraction and metric; tests and verdicts are of the first metric only."""
    rows = [_csv_row(found.study.metric, _comparison(one)) for one in found.comparisons]
    rows += [_csv_row(metric, _gain(one)) for metric, gains in found.secondary.items() for one in gains]
    written = io.StringIO()
    writer = csv.DictWriter(written, list(_COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


_COLUMNS = (
    "arm", "against", "fraction", "metric", "unit", "gain", "low", "high", "patients", "trainings", "folds", "ask",
    "margin", "family", "simultaneous_low", "simultaneous_high", "verdict", "refused", "p", "power", "patients_needed",
)  # fmt: skip


def _csv_row(metric: str, facts: dict[str, Any]) -> dict[str, Any]:
    low, high = facts["interval"] or (None, None)
    kept = {key: value for key, value in facts.items() if key in _COLUMNS}
    low_of_all, high_of_all = facts.get("simultaneous") or (None, None)
    kept |= {"simultaneous_low": low_of_all, "simultaneous_high": high_of_all}
    return {**kept, "metric": metric, "unit": METRICS[metric].unit, "low": low, "high": high}


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        **_gain(one),
        "against": one.question.against,
        "ask": one.question.ask,
        "margin": one.margin,
        "family": one.family,
        "simultaneous": list(one.simultaneous) if one.simultaneous else None,
        "verdict": one.verdict,
        "refused": one.refused,
        "p": one.p,
        "power": one.power,
        "patients_needed": one.patients_needed,
        "variance": {
            "patients": one.effect.by_patient,
            "trainings": one.effect.by_training,
            "folds": one.effect.by_fold,
        },
        "by_patient": one.differences.by_patient(),
        "left_out": list(one.differences.left_out),
    }


def _gain(one: Gain) -> dict[str, Any]:
    ends = one.effect.interval(LEVEL)
    return {
        "arm": one.arm,
        "fraction": one.fraction,
        "gain": one.gain,
        "interval": list(ends) if ends else None,
        "level": LEVEL,
        "patients": one.effect.patients,
        "trainings": sum(map(len, one.differences.seeds)),
        "folds": len(one.differences.folds),
    }


def _mean(mean: ArmMean) -> dict[str, Any]:
    interval = list(mean.interval) if mean.interval else None
    return {"value": mean.effect.value, "interval": interval, "patients": mean.effect.patients}


def _plain(value: Any) -> Any:
    """Return settings as JSON can hold them; what it has no type for, such as a path, is written as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else fact_text(value)
