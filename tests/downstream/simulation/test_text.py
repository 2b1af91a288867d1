# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of a made-up simulation."""

from __future__ import annotations

from typing import Any

import pytest

from downstream.simulation.text import markdown


def coverage(law: str, shares: tuple[float, float], folds: int = 2) -> dict[str, Any]:
    names = ("components", "bootstrap", "patients", *(["folds"] if folds > 1 else []))
    return {
        "design": {"folds": folds, "patients": 5, "seeds": 3, "clips": 2},
        "law": law,
        "coverage": dict(zip(names, [*shares, 0.9, 0.96], strict=False)),
        "width": dict.fromkeys(names, 4.0 if law == "normal" else 5.0),
        "signed_rank": shares[0] - 0.9,
    }


STUDY = {
    "design": {"folds": 3, "patients": 4, "seeds": 2, "clips": 2},
    "arms": {
        "worse": {"gain": -0.04, "verdicts": {"harms": 15, "cannot be told": 5}, "covered": 19, "signed_rank": 10}
    },
    "false_finding": 0,
    "false_equivalence": 20,
}


def table(**changes: Any) -> dict[str, Any]:
    facts = {"command": "python x", "date": "2026-01-02", "replicates": 20, "coverage": [], "studies": {"small": STUDY}}
    return {**facts, **changes}


def test_rows_of_one_design_are_one_line_from_least_to_most() -> None:
    rows = [coverage("normal", (0.94, 0.92)), coverage("skewed", (0.91, 0.95))]
    lines = markdown(table(coverage=[*rows, coverage("normal", (0.95, 0.9), folds=1)])).splitlines()
    assert lines[0] == "`python x`, 2026-01-02, 20 replicates:"
    assert lines[4] == (
        "| 2 | 10 | 3 | 0.910 to 0.940 (4.5) | 0.920 to 0.950 (4.5) | 0.900 to 0.900 (4.5) | 0.960 to 0.960 (4.5) "
        "| 0.010 to 0.040 |"
    )
    assert lines[5].startswith("| 1 | 5 | 3 | 0.950 to 0.950 (4.0) | ")
    assert lines[5].endswith(" | – | 0.050 to 0.050 |")


def test_verdicts_and_errors_are_shares_of_all_studies() -> None:
    lines = markdown(table()).splitlines()
    assert "| small | worse | −0.04 | 0.000 | 0.750 | 0.000 | 0.250 | 0.950 | 0.500 |" in lines
    bound = 0.025 ** (1 / 20)  # Clopper and Pearson's, of none and of all
    assert f"| small | 3 | 12 | 2 | 0.000 (0.000 to {1 - bound:.3f}) | 1.000 ({bound:.3f} to 1.000) |" in lines


def test_every_line_of_a_table_has_its_columns() -> None:
    rows = [coverage("normal", (0.94, 0.92)), coverage("normal", (0.95, 0.9), folds=1)]
    for part in markdown(table(coverage=rows)).split("\n\n")[1:]:
        assert len({line.count("|") for line in part.splitlines()}) == 1


def test_a_table_without_its_parts_is_refused() -> None:
    with pytest.raises(KeyError, match="studies"):
        markdown({key: value for key, value in table().items() if key != "studies"})
