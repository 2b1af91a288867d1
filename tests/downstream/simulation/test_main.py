# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command that writes the table which reports cite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from downstream.simulation import __main__ as command
from downstream.simulation.laws import Design
from downstream.statistics.simulated import TABLE


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [(Design(folds, 4 // folds, 2), "patients only", "normal") for folds in (1, 2)]
    monkeypatch.setattr(command, "CELLS", cells)
    monkeypatch.setattr(command, "POWER_DESIGNS", [Design(2, 30, 1)])


@pytest.mark.usefixtures("_small")
def test_the_table_is_written_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.json"
    assert command.main(["--studies", "3", "--out", str(out)]) == 0
    assert f"Wrote {out}" in capsys.readouterr().out
    table = json.loads(out.read_text())
    assert [row["verdicts"] for row in table["intervals"]] == [False, False]
    assert table["command"] == "python -m downstream.simulation --studies 3 --seed 0"
    assert len([line for line in out.read_text().splitlines() if '"law": "normal"' in line]) == 2
    assert command.main(["--markdown", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "| 2 | 4 | 2 | none given | " in printed
    assert "| 2 | 60 | 1 | 4 | non-inferiority | −0.02 | " in printed


@pytest.mark.usefixtures("_small")
def test_a_seed_gives_one_table() -> None:
    first, again, other = (command.simulate_table(30, seed, progress=False) for seed in (0, 0, 1))
    assert first == again
    assert first["intervals"] != other["intervals"]


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--markdown"], "none.json"),
        (["--studies", "0"], "expected at least 1 study, got 0"),
        (["--studies", "1"], "expected 2 studies at least"),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_written(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none.json"
    assert command.main([*arguments, "--out", str(out)]) == 2
    assert any(line.startswith("simulation: ") and complaint in line for line in capsys.readouterr().err.splitlines())
    assert not out.exists()


def test_the_shipped_table_is_the_one_in_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    documentation = Path(__file__).resolve().parents[3] / "docs" / "downstream_statistics.md"
    assert command.main(["--markdown", "--out", str(TABLE)]) == 0
    assert capsys.readouterr().out.strip() in documentation.read_text(encoding="utf-8")
