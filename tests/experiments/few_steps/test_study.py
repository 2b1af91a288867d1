# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.few_steps import sampling
from experiments.few_steps.report import PSNR
from experiments.few_steps.study import Plan, run_study

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

TINY = Plan(
    num_clips=2,
    num_references=4,
    steps=(3, 1),
    seeds=(0, 1),
    size=32,
    num_frames=4,
)


def test_a_tiny_study_leaves_its_files_and_goes_on_from_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = run_study("ultrasound", tmp_path, TINY)
    assert [(row.clips, row.steps) for row in rows] == [
        ("real", 0),
        ("real, through the autoencoder", 0),
        *((sampler, steps) for sampler in ("flow_multistep", "rectified_flow") for steps in (3, 1)),
    ]
    assert all(len(values) == 2 for row in rows for values in row.by_seed.values())
    assert [PSNR in row.scores for row in rows] == [False, False, False, True, False, True]
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["clips"] for row in report["rows"]] == [row.clips for row in rows]
    assert (tmp_path / "curves.png").is_file()

    monkeypatch.delattr(sampling, "sample")
    again = run_study("ultrasound", tmp_path, TINY)
    assert [row.by_seed["descriptors"] for row in again] == [row.by_seed["descriptors"] for row in rows]
