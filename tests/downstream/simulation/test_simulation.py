# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path

import pytest

from downstream.simulation import __main__ as command
from downstream.simulation.coverage import METHODS, simulate_coverage
from downstream.simulation.laws import Design
from downstream.simulation.studies import ARMS, rate_interval, simulate_studies
from downstream.statistics.coverage import TABLE


def test_student_over_patients_is_exact_where_only_patients_differ() -> None:
    """The independent check of the machinery: a t interval of normal values holds the truth in 95 %."""
    row = simulate_coverage(Design(3, 4, 2), "patients only", "normal", 600, seed=0)
    low, high = rate_interval(570, 600)
    assert low - 0.01 <= row["coverage"]["patients"] <= high + 0.01
    assert list(row["coverage"]) == list(METHODS)


def test_patients_alone_are_overconfident_where_folds_differ_and_components_are_not() -> None:
    row = simulate_coverage(Design(4, 25, 3), "folds and trainings, much", "normal", 100, seed=0)
    assert row["coverage"]["patients"] < 0.75 < 0.85 < row["coverage"]["components"]
    assert row["signed_rank"] > 0.2


def test_studies_find_what_is_there_and_not_what_is_not() -> None:
    found = simulate_studies(Design(5, 20, 3), 20, seed=0)
    arms = found["arms"]
    assert arms["fresh data"]["verdicts"]["helps"] >= 17
    assert arms["a harmful generator"]["verdicts"]["harms"] >= 17
    assert arms["copies of training clips"]["verdicts"].get("helps", 0) <= 2
    assert found["false_finding"] <= 4
    assert {name: sum(row["verdicts"].values()) for name, row in arms.items()} == {arm.name: 20 for arm in ARMS}
    assert found == simulate_studies(Design(5, 20, 3), 20, seed=0)


def test_rates_have_exact_intervals() -> None:
    assert rate_interval(0, 20) == pytest.approx((0, 1 - 0.025 ** (1 / 20)))
    assert rate_interval(20, 20) == pytest.approx((0.025 ** (1 / 20), 1))


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="laws are normal, heavy tails, skewed"):
        simulate_coverage(Design(2, 2, 2), "patients only", "uniform", 10, 0)
    with pytest.raises(ValueError, match="at least 1 replicate"):
        simulate_studies(Design(2, 2, 2), 0, 0)


def test_the_table_is_written_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [(Design(folds, 4 // folds, 2), "patients only", "normal") for folds in (1, 2)]
    monkeypatch.setattr(command, "CELLS", cells)
    monkeypatch.setattr(command, "STUDIES", {"tiny": Design(2, 3, 1)})
    out = tmp_path / "table.json"
    assert command.main(["--replicates", "3", "--out", str(out)]) == 0
    table = json.loads(out.read_text())
    assert [len(row["coverage"]) for row in table["coverage"]] == [3, 4]  # one fold has no interval over folds
    assert command.main(["--markdown", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "| 2 | 4 | 2 | " in printed
    assert "| tiny | fresh data | +0.04 | " in printed
    assert "| tiny | a harmful generator | −0.04 | " in printed
    assert command.main(["--markdown", "--out", str(tmp_path / "none.json")]) == 2


def test_the_shipped_table_is_the_one_in_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    documentation = Path(__file__).resolve().parents[3] / "docs" / "downstream_statistics.md"
    assert command.main(["--markdown", "--out", str(TABLE)]) == 0
    assert capsys.readouterr().out.strip() in documentation.read_text(encoding="utf-8")
