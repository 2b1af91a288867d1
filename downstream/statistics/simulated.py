# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often the statistics err where the truth is known: what ``python -m downstream.simulation`` wrote."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from monai_feat.files import read_json

__all__ = ["TABLE", "largest_error", "least_coverage"]

TABLE = Path(__file__).with_name("simulation_table.json")


def least_coverage() -> float:
    """Return the least share of studies whose 95 % interval held the truth, over all that get verdicts."""
    return 1 - max(errors["1"] for errors in _errors())


def largest_error() -> float:
    """Return the largest share of studies with a wrong finding about any arm, over all families that get verdicts."""
    return max(share for errors in _errors() for size, share in errors.items() if size != "1")


@cache
def _errors() -> list[dict[str, float]]:
    return [row["errors"] for row in read_json(TABLE)["intervals"] if row["verdicts"]]
