# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from evaluation.scoring.intervals import Regime
from evaluation.simulation.text import markdown

CLIPS, GROUPS = Regime(30, 20, 4, 30, 20), Regime(30, 20, 4, 6, 20)


def row(kind: str, regime: Regime, law: str, share: float, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "regime": asdict(regime), "law": law, "coverage": {"0.95": share}, **more}


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"command": "simulate", "date": "2026-01-02", "replicates": 7, "rows": list(rows)}


def test_distances_show_the_worst_law_and_the_best() -> None:
    text = markdown(
        table(
            row("kernel", CLIPS, "same, flat", 0.93),
            row("kernel", CLIPS, "mean, decaying", 0.91),
            row("kernel", CLIPS, "heavy tails", 0.97),
            row("frechet", CLIPS, "same, flat", 0.9),
            row("kernel", GROUPS, "same, flat", 1.0),
        )
    )
    assert text.startswith("`simulate`, 2026-01-02, 7 replicates:\n")
    assert "| 30 | 20 | 4 | clips | 0.900 (same, flat) to 0.900 | – | 0.910 (mean, decaying) to 0.970 |" in text
    assert "| 30 | 20 | 4 | 6, 20 | – | – | 1.000 (same, flat) to 1.000 |" in text


def test_means_and_floors_have_their_own_tables() -> None:
    mean = [row("mean", GROUPS, law, share) for law, share in (("normal", 0.94), ("skewed", 0.92))]
    floors = [
        row(f"floor_{kind}", CLIPS, f"same, {spectrum}", 0.5, told_apart=0.25, ratio=0.875)
        for kind in ("frechet", "kernel")
        for spectrum in ("flat", "decaying")
    ]
    text = markdown(table(*mean, row("mean_very_skewed", GROUPS, "very skewed", 0.85), *floors))
    assert "| 30 | 6 | 0.940 | 0.920 | 0.850 |" in text
    assert "| 30 | 20 | 4 | clips | 0.88, 0.88 | 0.50, 0.50 | 0.25, 0.25 | 0.50, 0.50 | 0.25, 0.25 |" in text


def test_a_table_without_its_command_is_none() -> None:
    with pytest.raises(KeyError, match="command"):
        markdown({"rows": []})
