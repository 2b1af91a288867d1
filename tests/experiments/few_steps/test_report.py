# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from experiments.few_steps.report import PSNR, SECONDS, StepsRow, describe, find_knee, write_report


def make_row(
    clips: str, steps: int, distance: float, other: float | None = None, psnr: float | None = None
) -> StepsRow:
    means = {"random features": distance, "descriptors": distance if other is None else other}
    means |= {SECONDS: steps / 100} if steps else {}
    means |= {PSNR: psnr} if psnr else {}
    by_seed = {name: (mean,) for name, mean in means.items()}
    return StepsRow(clips, means, dict.fromkeys(means, 0.25), steps, by_seed)


@pytest.mark.parametrize(
    ("distances", "knee"),
    [
        ([1.0, 1.04, 1.06, 1.0], 50),  # what comes back after the knee comes too late
        ([1.0, 0.5, 0.2, 0.1], 10),
        ([1.0, 1.2, 1.0, 1.0], 100),
    ],
)
def test_the_knee_is_the_last_within_five_per_cent(distances: list[float], knee: int) -> None:
    steps = (100, 50, 25, 10)
    assert find_knee([make_row("ddim", *point) for point in zip(steps, distances, strict=True)]) == knee


def test_both_distances_count() -> None:
    assert find_knee([make_row("ddim", 100, 1.0), make_row("ddim", 50, 1.0, 1.1)]) == 100


def test_the_table_compares_with_most_steps() -> None:
    rows = [make_row("real", 0, 0.5), make_row("ddim", 10, 1.5, psnr=30.0), make_row("ddim", 100, 1.0)]
    assert list(describe(rows)) == [
        f"| clips | steps | {SECONDS} | random features | to most steps | descriptors | to most steps | {PSNR} |",
        "|---|---|---|---|---|---|---|---|",
        "| real |  |  | 0.500 ± 0.250 |  | 0.500 ± 0.250 |  |  |",
        "| ddim | 10 | 0.10 ± 0.25 | 1.500 ± 0.250 | +50.0% | 1.500 ± 0.250 | +50.0% | 30.0 ± 0.2 |",
        "| ddim | 100 | 1.00 ± 0.25 | 1.000 ± 0.250 |  | 1.000 ± 0.250 |  |  |",
        "",
        "Knee of ddim: 100 steps.",
    ]


def test_a_report_is_three_files(tmp_path: Path) -> None:
    rows = [make_row("real", 0, 0.5), *(make_row(name, n, 9 / n) for name in ("ddim", "ddpm") for n in (100, 10, 4))]
    write_report(rows, "ultrasound", {"seeds": (0, 1)}, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["knees"], report["plan"]) == ({"ddim": 100, "ddpm": 100}, {"seeds": [0, 1]})
    assert (tmp_path / "out" / "report.md").read_text().splitlines() == list(describe(rows))
    with Image.open(tmp_path / "out" / "curves.png") as picture:
        assert len(picture.convert("RGB").getcolors(maxcolors=1 << 24)) > 100
