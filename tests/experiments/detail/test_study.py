# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from experiments.detail.__main__ import BUNDLES, parse_arguments
from experiments.detail.report import describe, write_report
from experiments.detail.study import BANDS, MODES, Plan, Result, run_study
from monai_feat.metrics.functional import temporal_power

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    small = tmp_path_factory.mktemp("detail") / "small.json"
    small.write_text(json.dumps({"frame_size": 32, "num_frames": 9}))
    return Plan(
        "ultrasound",
        BUNDLES / "feat_ultrasound",
        overlays=(small,),
        num_steps=1,
        num_clips=6,
        num_references=6,
        num_known=6,
        seeds=(0, 1),
    )


@pytest.fixture(scope="module")
def result(plan: Plan) -> Result:
    return run_study(plan)


def test_scores_of_real_decoded_and_sampled_clips(result: Result) -> None:
    assert [row.clips for row in result.rows] == ["real, other ones", "real, through the autoencoder", "sampled"]
    assert all(
        {*MODES, *BANDS, "descriptors", "random features", "precision", "recall"} <= row.scores.keys()
        for row in result.rows
    )
    assert result.rows[2].spread.keys() == result.rows[2].scores.keys()
    assert result.rows[1].scores["PSNR (dB)"] > 15
    assert result.sampled.shape == result.real.shape == (6, 1, 9, 32, 32)


def test_power_is_that_over_the_references(plan: Plan, result: Result) -> None:
    clips = plan.clips(plan.config(), 12, 1_000_003)
    pixels = torch.stack([clips.clip(index).image for index in range(12)])
    expected = temporal_power(pixels[6:]).mean(0) / temporal_power(pixels[:6]).mean(0)
    assert result.rows[0].scores["time mode 8"] == pytest.approx(expected[8].item())


def test_denoising_is_measured_beside_the_filter(result: Result) -> None:
    errors = result.errors
    assert errors.network.shape == errors.wiener.shape == (8, 9, 5)
    assert (errors.relative(errors.wiener).diff() > 0).all()  # more noise, more error


def test_report(plan: Plan, result: Result, tmp_path: Path) -> None:
    write_report(result, plan, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.md",
        "report.json",
        "detail.png",
        "contact_sheet.png",
    }
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert lines == "\n".join(describe(result)).splitlines()
    assert sum(line.startswith("| ") for line in lines) == 1 + 3 + 1 + 8
    assert json.loads((tmp_path / "report.json").read_text())["rows"][2]["clips"] == "sampled"


def test_command_line(tmp_path: Path) -> None:
    given = [
        "--modality",
        "ultrasound",
        "--out",
        str(tmp_path),
        "--clips",
        "5",
        "--seeds",
        "3",
        "--autoguidance",
        "1.5",
    ]
    plan, out = parse_arguments([*given, "--autoguidance", "1.5"])
    assert (plan.modality, plan.num_clips, plan.seeds, out) == ("ultrasound", 5, (3,), tmp_path)
    assert plan.config().get_parsed_content("autoguidance_scale") == 1.5
    assert plan.bundle.is_dir()
