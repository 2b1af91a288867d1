# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experiments.faithfulness.questions import QUESTIONS
from experiments.faithfulness.study import Budget, by_chance, describe, run_study
from experiments.seed_table import Row

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
TINY = Budget(
    training_steps=1,
    segmenter_steps=1,
    num_training_clips=2,
    num_clips=2,
    num_sampling_steps=2,
    guidance_scales=(1.0,),
    batch_size=2,
    size=32,
    num_frames=4,
)


@pytest.mark.parametrize(
    ("names", "seeds"), [(["ejection_fraction"], (0, 1)), (["first_frames", "mask", "ejection_class"], (0,))]
)
def test_a_tiny_study_leaves_its_files(names: list[str], seeds: tuple[int, ...], tmp_path: Path) -> None:
    budget = replace(TINY, guidance_scales=(1.0, 3.0), seeds=seeds, num_frames=6)
    tables = run_study({name: QUESTIONS[name] for name in names}, tmp_path, budget)
    assert list(tables) == names
    for rows in tables.values():
        assert [row.clips for row in rows] == [
            "real",
            "real, through the autoencoder",
            "guidance 1, as asked",
            "guidance 1, by chance",
            "guidance 3, as asked",
            "guidance 3, by chance",
        ]
        assert bool(rows[2].spread) == (len(seeds) > 1)
    report = json.loads((tmp_path / "report.json").read_text())
    assert {name: len(rows) for name, rows in report["tables"].items()} == dict.fromkeys(names, 6)
    assert (tmp_path / "report.md").read_text().splitlines() == list(describe(tables))
    assert all((tmp_path / f"seed_{seed}" / f"{name}.png").is_file() for seed in seeds for name in names)


def test_what_is_done_is_kept_for_further_seeds_and_not_for_other_settings(tmp_path: Path) -> None:
    question = {"ejection_fraction": QUESTIONS["ejection_fraction"]}
    (first := tmp_path / "seed_0" / "train").mkdir(parents=True)
    (first / "feat.safetensors").write_bytes(b"of an unknown training")
    found = run_study(question, tmp_path, TINY)  # which is cleared, or sampling from it would fail
    weights = first / "feat.safetensors"
    made = weights.stat().st_mtime_ns
    again = run_study(question, tmp_path, replace(TINY, seeds=(0, 1)))
    assert weights.stat().st_mtime_ns == made
    assert again["ejection_fraction"][0] == found["ejection_fraction"][0]
    asked = run_study(question, tmp_path / "asked", TINY, trained=weights)  # asked again, without a training
    assert asked["ejection_fraction"] == found["ejection_fraction"]
    assert not (tmp_path / "asked" / "seed_0" / "train").exists()
    run_study(question, tmp_path, replace(TINY, num_training_clips=3))
    assert weights.stat().st_mtime_ns > made
    assert not (tmp_path / "seed_1").exists()


def test_questions_of_two_modalities_are_refused(tmp_path: Path) -> None:
    names = ["ejection_fraction", "polyp_present"]
    with pytest.raises(ValueError, match="endoscopy and ultrasound"):
        run_study({name: QUESTIONS[name] for name in names}, tmp_path, Budget())


def test_chance_is_the_mean_over_all_other_clips() -> None:
    """Of classes in equal shares, a network that heeds nothing hits as often as there are classes, but for itself."""
    classes = torch.arange(12.0) % 3
    (accuracy,) = by_chance(QUESTIONS["ejection_class"], classes, classes).values()
    assert accuracy == pytest.approx(3 / 11)


def test_the_table_shows_spreads() -> None:
    rows = [Row("real", {"error": 0.5}, {}), Row("sampled", {"error": 0.25}, {"error": 0.125})]
    assert list(describe({"speed": rows})) == [
        "",
        "| speed | error |",
        "|---|---|",
        "| real | 0.500 |",
        "| sampled | 0.250 ± 0.125 |",
    ]
