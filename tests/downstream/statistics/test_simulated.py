# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from downstream.simulation.intervals import CELLS, gives_verdicts
from downstream.simulation.laws import Design
from downstream.statistics.simulated import TABLE, largest_error, least_coverage
from monai_feat.files import read_json


def test_error_rates_hold_wherever_a_verdict_is_given() -> None:
    assert largest_error() <= 0.06
    assert least_coverage() >= 0.93


def test_the_shipped_table_is_of_the_cells_and_the_rules_of_today() -> None:
    rows = read_json(TABLE)["intervals"]
    assert [(Design(**row["design"]), row["spread"], row["law"]) for row in rows] == list(CELLS)
    assert all(row["verdicts"] == gives_verdicts(Design(**row["design"])) for row in rows)
    held = [row for row in rows if row["verdicts"]]
    assert {design.folds for design, *_ in CELLS} - {row["design"]["folds"] for row in held} == {1}
    assert largest_error() == max(share for row in held for size, share in row["errors"].items() if size != "1")


def test_a_larger_table_would_refuse_what_it_refuses() -> None:
    """The rule of patients is there for a reason: without it, the promise would be broken."""
    few = [row for row in read_json(TABLE)["intervals"] if row["design"]["folds"] > 1 and not row["verdicts"]]
    assert max(max(row["errors"].values()) for row in few) > 0.06
