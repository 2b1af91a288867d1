# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of an evaluation: what was compared, how, and what came out."""

from __future__ import annotations

import argparse
from typing import Any

from monai_feat.data.source_names import is_phantom
from monai_feat.records import DataEntry, GroupNumbers, RunRecord, describe_entries, describe_procedural, weights_used

from .reading.comparison import Comparison
from .reading.sources import Side
from .results import Evaluation

__all__ = ["RESULTS", "record_evaluation", "score_values"]

RESULTS = ("report.html", "report.json")


def record_evaluation(options: argparse.Namespace, comparison: Comparison) -> RunRecord:
    """Describe an evaluation before it runs.

    Args:
        options: of the command.
        comparison: its sides, opened.

    Raises:
        OSError: a file cannot be read.
    """
    groups = GroupNumbers()
    given = {name: value for name, value in vars(options).items() if name not in ("command", "record_names")}
    autoencoder = [] if options.autoencoder is None else [weights_used("autoencoder", options.autoencoder)]
    return RunRecord(
        options.out,
        "gate" if options.gate else "scoring",
        config={"options": given, "protocol": comparison.protocol.to_dict()},
        seeds={"seed": options.seed},
        data=[_side(role, side, groups, options.record_names) for role, side in comparison.sides.items()],
        weights=autoencoder,
        command=options.command,
    )


def score_values(evaluation: Evaluation) -> dict[str, Any]:
    """Return every score by its key and reference, and whether the gate was passed."""
    scores: dict[str, Any] = {f"{score.metric}.{score.reference}": score.value for score in evaluation.scores}
    if evaluation.gate is not None:
        scores |= {"gate.passed": evaluation.gate.passed, "gate.copies": len(evaluation.gate.copies)}
    return scores


def _side(role: str, side: Side, groups: GroupNumbers, names: bool) -> dict[str, Any]:
    if is_phantom(side.spec):
        return describe_procedural(role, side.spec)
    entries = [DataEntry(each.digest, group=each.patient, name=each.name) for each in side.recordings]
    return describe_entries(role, entries, groups, names)
