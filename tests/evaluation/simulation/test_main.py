# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulation is seeded, continues where it stopped, and made the table and the documentation that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.scoring.intervals import TABLE, Regime
from evaluation.simulation.__main__ import main, simulate_table
from evaluation.simulation.cells import CELLS, Cell, simulate_cell
from evaluation.simulation.text import markdown

DOCS = Path(__file__).resolve().parents[3] / "docs" / "intervals.md"
TINY = (
    Cell("mean", Regime(12, 12, 1, 6, 6), "normal"),
    Cell("distances", Regime(16, 12, 4, 8, 12), "heavy tails", "decaying"),
    Cell("floors", Regime(16, 16, 4, 16, 16), "same", "flat"),
)


@pytest.mark.parametrize("cell", TINY, ids=lambda cell: cell.what)
def test_a_cell_is_the_same_twice_and_another_with_another_seed(cell: Cell) -> None:
    first = simulate_cell(cell, 8, seed=1)
    assert simulate_cell(cell, 8, seed=1) == first
    rates = [rate for row in first for rate in row["coverage"].values()]
    assert all(0 <= rate <= 1 for rate in rates)
    assert any(simulate_cell(cell, 8, seed=seed) != first for seed in (2, 3, 4))


def test_only_where_there_are_more_clips_than_features_is_the_limit_tried() -> None:
    wide = Cell("distances", Regime(6, 6, 9, 6, 6), "same", "flat")
    assert [row["kind"] for row in simulate_cell(wide, 2, 0)] == ["frechet", "kernel"]
    assert [row["kind"] for row in simulate_cell(TINY[1], 2, 0)] == ["frechet", "kernel", "frechet_infinite"]


def test_a_stopped_run_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulate_table(TINY, 3, 0, tmp_path / "whole.json", "command", progress=False)
    out = tmp_path / "table.json"

    def stop_at_floors(cell: Cell, *rest: object) -> list[dict[str, object]]:
        if cell.what == "floors":
            raise KeyboardInterrupt
        return simulate_cell(cell, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("evaluation.simulation.__main__.simulate_cell", stop_at_floors)
        with pytest.raises(KeyboardInterrupt):
            simulate_table(TINY, 3, 0, out, "command", progress=False)
    assert not out.exists()
    with pytest.raises(ValueError, match="'replicates': 3, 'seed': 0"):
        simulate_table(TINY, 4, 0, out, "command", progress=False)
    assert simulate_table(TINY, 3, 0, out, "command", progress=False) == whole
    assert [file.name for file in tmp_path.iterdir() if "table" in file.name] == ["table.json"]


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "quick.json"
    monkeypatch.setattr("evaluation.simulation.__main__.CELLS", TINY)
    assert main(["--quick", "--out", str(out)]) == 0
    assert main(["--markdown", "--out", str(out)]) == 0
    assert "| 16 | 12 | 4 | 8, 12 |" in capsys.readouterr().out
    assert main(["--quick"]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["--markdown", "--out", str(tmp_path / "none.json")]) == 2
    assert main(["--replicates", "1", "--out", str(out)]) == 2
    assert "at least 2 replicates" in capsys.readouterr().err


def test_the_shipped_table_is_whole_and_reproducible() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    assert {row["cell"] for row in table["rows"]} == {cell.name for cell in CELLS}
    cell = CELLS[0]
    shipped = [row for row in table["rows"] if row["cell"] == cell.name]
    found = simulate_cell(cell, table["replicates"], table["seed"])
    assert [row["coverage"] for row in found] == [pytest.approx(row["coverage"], abs=0.005) for row in shipped]


def test_the_documentation_holds_the_shipped_table() -> None:
    assert markdown(json.loads(TABLE.read_text(encoding="utf-8"))) in DOCS.read_text(encoding="utf-8")
