# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a study."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from monai_feat.records import GroupNumbers, RunRecord, describe_procedural, describe_source, weights_used

from .scores import Score
from .study import Study

__all__ = ["RESULTS", "mean_scores", "record_study"]

RESULTS = ("study.json", "report/*")


def record_study(study: Study, folder: Path, options: argparse.Namespace) -> RunRecord:
    """Describe a study before it runs.

    Args:
        study: to be run.
        folder: of all its results.
        options: of the command.

    Raises:
        OSError: a file cannot be read.
    """
    generator = study.generator
    weights = {"autoencoder": generator.autoencoder_weights, "network": generator.network_weights}
    return RunRecord(
        folder,
        "study",
        config=asdict(study),
        seeds={"generator": generator.seed, **{f"training {number}": seed for number, seed in enumerate(study.seeds)}},
        data=[_data(study, options.record_names)],
        weights=[weights_used(role, path) for role, path in weights.items() if path is not None],
        command=options.command,
    )


def mean_scores(scores: Sequence[Score]) -> dict[str, Any]:
    """Return the mean of every score over clips, folds and seeds, by metric, arm and share of the patients."""
    found: dict[str, list[float]] = {}
    for score in scores:
        name = f"{score.metric}.{score.arm}.{100 * score.fraction:.3g}pct"
        found.setdefault(name, []).append(score.value)
    return {name: fmean(values) for name, values in found.items()}


def _data(study: Study, names: bool) -> dict[str, Any]:
    if study.data.phantoms is not None:
        phantoms = study.data.phantoms
        return describe_procedural("real", f"phantom:{phantoms.kind}:{phantoms.seed}")
    assert study.data.datalist is not None
    return describe_source("real", study.data.datalist, GroupNumbers(), names)
