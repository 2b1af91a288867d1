# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line, on a whole study with a stand-in for training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from downstream import work
from downstream.cli import main
from downstream.scores import read_scores
from monai_feat.bundle import find_bundle
from monai_feat.data import write_phantoms
from monai_feat.records import RECORD, read_record

pytestmark = pytest.mark.usefixtures("quick_training")
STUDY: dict[str, Any] = {
    "title": "a study",
    "data": {
        "modality": "ultrasound",
        "phantoms": {"kind": "ultrasound", "num_clips": 16, "num_patients": 8, "num_folds": 2, "seed": 3},
        "frame_size": 32,
        "num_frames": 2,
    },
    "generator": {"kind": "phantoms"},
    "arms": ["real", "real + synthetic x1", "real + extra real"],
    "fractions": [0.5, 1.0],
    "folds": [0],
    "seeds": [0],
    "training": {"steps": 7},
    "fidelity": False,
}


@pytest.fixture
def study(tmp_path: Path) -> str:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(STUDY))
    return str(file)


def test_a_study_ends_with_a_report(study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main([study, "--out", str(out), "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert f"Wrote {out.resolve() / 'report' / 'report.html'}" in printed
    assert "[8/8] train.real-extra-real.50pct.fold0.seed0 …" in printed
    page = (out / "report" / "report.html").read_text()
    assert "real + extra real" in page
    assert "stand-in (phantoms)" in page
    record = read_record(out / RECORD)
    assert (record["kind"], record["config"]["title"]) == ("study", STUDY["title"])
    scores = [score for score in read_scores(out / "report" / "scores.csv") if score.metric == "dice"]
    real = [score.value for score in scores if (score.arm, score.fraction) == ("real", 0.5)]
    assert record["metrics"]["dice.real.50pct"] == pytest.approx(sum(real) / len(real))
    assert {"study.json", "report/report.json"} <= {result["name"] for result in record["results"]}
    assert main([study, "--out", str(out), "--quiet"]) == 0
    assert "done in" not in capsys.readouterr().out


def test_check_runs_nothing(study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main([study, "--out", str(out), "--check"]) == 0
    assert not out.exists()
    printed = capsys.readouterr().out
    assert "8 jobs, 5 of them trainings of 7 steps" in printed
    assert "without 'real + extra real' at 100%" in printed


def test_jobs_can_be_listed_and_run_one_by_one(study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [study, "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*command, "--list", "generate"]) == 0
    assert capsys.readouterr().out.split() == ["generate.50pct.fold0", "generate.100pct.fold0"]
    assert main([*command, "--job", "generate.50pct.fold0"]) == 2
    assert "generate.50pct.fold0 needs prepare; run them first" in capsys.readouterr().err
    assert main([*command, "--job", "prepare"]) == 0
    assert main([*command, "--job", "generate.50pct.fold0"]) == 0


def test_a_failed_job_is_named_and_tried_again_later(
    study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [study, "--out", str(tmp_path / "out"), "--quiet", "--retries", "0"]
    with monkeypatch.context() as broken:
        broken.setitem(work.GENERATORS, "phantoms", lambda request: 1 / 0)
        assert main(command) == 1
    errors = capsys.readouterr().err
    assert "generate.50pct.fold0 failed: ZeroDivisionError" in errors
    assert "train.real-synthetic-x1.100pct.fold0.seed0 was left out; it needs generate.100pct.fold0" in errors
    page = (tmp_path / "out" / "report" / "report.html").read_text()
    assert "generate.50pct.fold0 is not done: ZeroDivisionError" in page
    assert main(command) == 0


def test_a_study_whose_clips_do_not_suit_it_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "three.yaml"
    file.write_text(yaml.safe_dump({**STUDY, "data": {**STUDY["data"], "num_classes": 3}}))
    assert main([str(file), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert "prepare failed: StudyError: fold 0 at 50%: class 2 is in no mask of train" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"folds": [5]}, r"folds [5] do not exist; data.phantoms.num_folds is 2"),
        ({"sedes": [1]}, "did you mean seeds?"),
    ],
)
def test_mistakes_end_with_one_line(
    changes: dict[str, Any], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump({**STUDY, **changes}))
    assert main([str(file), "--check"]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


WEIGHTS = {"autoencoder": "autoencoder", "network": "feat"}


def test_check_finds_a_generator_that_knows_a_test_patient(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "raw"
    known = write_phantoms("ultrasound", source, 8, 8, 32, 2, 2, test_share=0, progress=False).training[0].group
    models = find_bundle("feat_ultrasound") / "models"
    weights = {f"{key}_weights": str(models / f"{name}.safetensors") for key, name in WEIGHTS.items()}
    generator = {"kind": "trained", "bundle": "feat_ultrasound", **weights}
    data = {"modality": "ultrasound", "datalist": "raw/datalist.json", "frame_size": 32, "num_frames": 2}
    changes = {"data": data, "folds": [0, 1], "generator": {**generator, "training_groups": [known]}}
    file = tmp_path / "trained.yaml"
    file.write_text(yaml.safe_dump({**STUDY, **changes}))
    assert main([str(file), "--check"]) == 2
    assert f"the generator was trained on {known}, who test or validate there" in capsys.readouterr().err


def test_there_must_be_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.yaml", "--check"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err
