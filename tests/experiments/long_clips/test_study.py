# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from experiments.long_clips import study
from experiments.long_clips.study import Budget, describe, drift, measure, run_study, ways
from experiments.seed_table import Row

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def test_a_tiny_study_leaves_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two ways, to save time."""
    few = {name: overrides for name, overrides in ways(16, 16).items() if name in ("one pass", "windows, stride 8")}
    monkeypatch.setattr(study, "ways", lambda window, tokens: few)
    budget = Budget(num_frames=18, num_clips=1, num_sampling_steps=1, seeds=(0, 1), memory_frames=(4,), memory_size=4)
    rows, memory = run_study("ultrasound", tmp_path, budget)
    names = ["real", "real, through the autoencoder", "16 frames, as trained", *few]
    assert [row.clips for row in rows] == names
    assert math.isnan(rows[2].scores["seam, flow"])
    assert all(math.isfinite(score) for row in rows if row is not rows[2] for score in row.scores.values())
    assert all(math.isfinite(spread) for spread in rows[0].spread.values())
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["clips"] for row in report["rows"]] == names
    assert (tmp_path / "report.md").read_text().splitlines() == list(describe(rows, memory))
    assert all((tmp_path / f"contact_sheet_{seed}.png").is_file() for seed in (0, 1))


def test_ways_are_told_apart_by_keys_of_the_config() -> None:
    """The decay of the training is that of its tokens and frames; own noise is said in so many words."""
    asked = ways(window=12, tokens=9)
    assert asked["one pass, `reference_tokens`"] == {"network_def::reference_tokens": [9, 12]}
    assert asked["windows, stride 6, shared noise"] == {"window": 12, "denoiser::stride": 6}
    assert asked["windows, stride 6"]["inferer::noise_window"] == "$None"
    assert len({str(overrides) for overrides in asked.values()}) == len(asked)


def test_drift_of_a_scene_that_stays_and_of_one_that_brightens() -> None:
    levels = torch.tensor([10, 30, 10, 30, 10, 30, 60, 100], dtype=torch.uint8)
    clips = levels[None, None, :, None, None].expand(1, 1, -1, 16, 16)
    assert drift(clips[:, :, :6], window=2).item() == 0
    assert drift(clips, window=2).item() == 60


def test_even_motion_has_no_seam_and_short_clips_have_no_value() -> None:
    x = torch.arange(32.0)
    frames = [128 + 60 * torch.sin((x - t) / 4)[:, None] * torch.cos((x - t) / 5) for t in range(8)]
    clips = torch.stack(frames).to(torch.uint8)[None, None]
    scores = measure(clips, [4], window=4)
    assert scores["seam, change"] == pytest.approx(1, abs=0.1)
    assert scores["seam, flow"] == pytest.approx(1, abs=0.1)
    assert scores["motion (px/frame)"] > 0.5
    assert math.isnan(measure(clips, [4], window=8)["seam, change"])


def test_the_tables_show_spreads_and_leave_out_what_is_not_there() -> None:
    rows = [
        Row("real", {"seam": 1.0, "drift": math.nan}, {}),
        Row("sampled", {"seam": 2.0, "drift": 3.0}, {"seam": 0.5}),
    ]
    assert list(describe(rows, {"one pass": {8: 12.4}})) == [
        "| clips | seam | drift |",
        "|---|---|---|",
        "| real | 1.00 |  |",
        "| sampled | 2.00 ± 0.50 | 3.00 |",
        "",
        "| MiB of a step | 8 frames |",
        "|---|---|",
        "| one pass | 12 |",
    ]
    assert list(describe(rows, {"one pass": {}}))[-1] == "| sampled | 2.00 ± 0.50 | 3.00 |"
