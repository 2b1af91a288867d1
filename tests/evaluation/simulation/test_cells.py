# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evaluation.scoring.intervals import Regime
from evaluation.simulation.cells import CELLS, LEVELS, Cell, simulate_cell


def test_every_cell_has_a_name_of_its_own_and_takes_time() -> None:
    assert len({cell.name for cell in CELLS}) == len(CELLS)
    assert all(cell.work > 0 for cell in CELLS)
    few, many = (Cell("distances", Regime(n, n, 50, n, n), "same", "flat") for n in (30, 300))
    assert many.work == pytest.approx(10 * few.work)


def test_intervals_of_normal_means_hold_as_often_as_they_say() -> None:
    ticks: list[None] = []
    cell = Cell("mean", Regime(60, 60, 1, 30, 30), "normal")
    (row,) = simulate_cell(cell, 300, 0, lambda: ticks.append(None))
    assert len(ticks) == 300
    held = [row["coverage"][f"{level:.4g}"] for level in LEVELS]
    assert held == sorted(held)
    # Four standard errors of a share of 300.
    assert all(
        abs(share - level) < 4 * (level * (1 - level) / 300) ** 0.5 for share, level in zip(held, LEVELS, strict=True)
    )
    assert (row["kind"], row["law"]) == ("mean", "normal")


def test_the_floor_of_one_law_is_about_its_score() -> None:
    rows = simulate_cell(Cell("floors", Regime(40, 40, 3, 40, 40), "same", "flat"), 10, 0)
    frechet, kernel = rows
    assert (frechet["kind"], kernel["kind"]) == ("floor_frechet", "floor_kernel")
    assert frechet["ratio"] == pytest.approx(1, abs=0.4)
    assert frechet["law"] == "same, flat"


def test_an_unknown_simulation_is_an_error() -> None:
    with pytest.raises(KeyError, match="medians"):
        simulate_cell(Cell("medians", Regime(4, 4, 1, 4, 4), "normal"), 2, 0)
