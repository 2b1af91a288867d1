# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often the interval of a gain held the truth in simulation, looked up by the size of the study."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

from monai_feat.files import read_json

from .differences import Differences

__all__ = ["TABLE", "simulated_coverage"]

TABLE = Path(__file__).with_name("simulation_table.json")


def simulated_coverage(differences: Differences, method: str = "components") -> float:
    """Return the least coverage of a 95 % interval over the laws that were simulated at the nearest size.

    That of a single fold is about this fold: other patients and other seeds, but the same training patients.

    Args:
        differences: of the study; its folds, patients and seeds are looked up, by their logarithms.
        method: ``components``, the t interval of `Effect`; ``bootstrap``, the percentiles of `bootstrap_interval`.

    Raises:
        ValueError: no such method was simulated.
    """
    folds = len(differences.folds)
    rows = [row for row in _table()["coverage"] if (row["design"]["folds"] == 1) == (folds == 1)]
    if method not in rows[0]["coverage"]:
        raise ValueError(f"unknown method {method!r}; simulated were {', '.join(rows[0]['coverage'])}")
    patients, trainings = sum(map(len, differences.patients)), sum(map(len, differences.seeds))
    here = (math.log(folds), math.log(patients / folds), math.log(trainings / folds))
    distances = [math.dist(here, _place(row["design"])) for row in rows]
    nearest = min(distances)
    found = [float(row["coverage"][method]) for row, far in zip(rows, distances, strict=True) if far == nearest]
    return min(found)


def _place(design: dict[str, int]) -> tuple[float, float, float]:
    return math.log(design["folds"]), math.log(design["patients"]), math.log(design["seeds"])


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_json(TABLE)
    return table
