# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of a made-up simulation."""

from __future__ import annotations

from typing import Any

import pytest

from downstream.simulation.text import markdown

DESIGN = {"folds": 2, "patients": 30, "seeds": 3, "balanced": True}


def row(law: str, error: float, **design: Any) -> dict[str, Any]:
    methods = {name: {"1": error, "7": 2 * error} for name in ("folds", "components", "patients")}
    errors = {"1": error, "2": error, "7": 2 * error, "14": 3 * error}
    return {"design": {**DESIGN, **design}, "law": law, "verdicts": True, "errors": errors, "methods": methods}


def table(**changes: Any) -> dict[str, Any]:
    told = {"design": DESIGN, "family": 4, "gain": -0.02, "ask": "benefit", "verdicts": {"harms": 0.75}}
    facts = {"command": "python x", "date": "2026-01-02", "studies": 20, "intervals": [], "verdicts": [told]}
    return {**facts, **changes}


def test_rows_of_one_design_are_one_line_with_the_worst() -> None:
    rows = [row("normal", 0.04), row("skewed", 0.01), row("normal", 0.02, balanced=False)]
    lines = markdown(table(intervals=rows)).splitlines()
    assert lines[0] == "`python x`, 2026-01-02, 20 studies a cell:"
    assert lines[4:6] == [
        "| 2 | 60 | 3 | verdicts | 0.960 | 0.040 | 0.080 | 0.120 |",
        "| 2 | 60, uneven | 3 | verdicts | 0.980 | 0.020 | 0.040 | 0.060 |",
    ]
    assert "| 2 | 0.960 | 0.080 | 0.960 | 0.080 | 0.960 | 0.080 |" in lines
    assert "| 2 | 60 | 3 | 4 | benefit | −0.02 | 0.000 | 0.750 | 0.000 | 0.000 | 0.000 |" in lines


def test_every_line_of_a_table_has_its_columns() -> None:
    for part in markdown(table(intervals=[row("normal", 0.1)])).split("\n\n")[1:]:
        assert len({line.count("|") for line in part.splitlines()}) == 1


def test_a_table_without_its_parts_is_refused() -> None:
    with pytest.raises(KeyError, match="verdicts"):
        markdown({key: value for key, value in table().items() if key != "verdicts"})
