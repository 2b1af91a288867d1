# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The numbers for programs, read back and computed again from each other."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from downstream.report import ReportArm, ReportInput
from downstream.report.data import comparisons_csv, report_data
from downstream.report.findings import find
from downstream.report.generator import read_fidelity
from downstream.report.verdict import summarise
from tests.downstream.report.studies import ARMS, draw, evaluation, full_study, small_study

QUESTION = "real + synthetic x1"


def written(study: ReportInput) -> dict[str, Any]:
    """Through JSON and back; what JSON has no word for would be refused."""
    found = find(study)
    fidelity = [read_fidelity(label, path) for label, path in study.evaluations.items()]
    data = report_data(found, summarise(found, fidelity), fidelity)
    content: dict[str, Any] = json.loads(json.dumps(data, allow_nan=False))
    return content


def rows_of(study: ReportInput) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comparisons_csv(find(study)), newline="")))


def test_every_part_of_a_full_study_is_told(tmp_path: Path) -> None:
    study = full_study(tmp_path)
    data = written(study)
    assert data["lead"] == {"arm": QUESTION, "fraction": 1.0}
    assert [arm["name"] for arm in data["arms"]] == [arm.name for arm in ARMS]
    assert [arm["minutes"] for arm in data["arms"]] == [study.minutes.get(arm.name) for arm in ARMS]
    assert [row["against"] for row in data["against_controls"]] == ["real + strong augmentation", "real + copies"]
    assert [(one["label"], one["copies"]) for one in data["generator"]] == [("fold 0", 0), ("fold 1", 2)]
    assert (data["notes"], data["command"], data["settings"]["seeds"]) == (list(study.notes), study.command, [0, 1])
    assert len(data["means"]) == 10 * 2 * 3


def test_an_interval_follows_from_the_variance_beside_it() -> None:
    """Of one training in one fold, only patients make a mean uncertain: Student's interval."""
    scores = draw({"real": 0.0, QUESTION: 0.07}, folds=1, seeds=1, patients=6)
    (row,) = written(small_study(scores=scores))["declared"]
    gains = list(row["by_patient"].values())
    assert (row["patients"], row["trainings"], row["folds"]) == (6, 1, 1)
    assert row["gain"] == pytest.approx(np.mean(gains))
    assert row["variance"] == pytest.approx({"patients": stats.sem(gains) ** 2, "trainings": 0, "folds": 0})
    assert row["interval"] == pytest.approx(stats.t.interval(row["level"], 5, np.mean(gains), stats.sem(gains)))


def test_jobs_that_failed_are_listed() -> None:
    scores = [s for s in draw({"real": 0.0, QUESTION: 0.07}) if (s.arm, s.fold, s.seed) != (QUESTION, 2, 1)]
    (row,) = written(small_study(scores=scores))["declared"]
    assert row["left_out"] == [f"{QUESTION}, fold 2, seed 1"]
    assert (row["patients"], row["trainings"], row["folds"]) == (30, 5, 3)


def test_the_table_says_what_the_json_says(tmp_path: Path) -> None:
    study = full_study(tmp_path)
    data, rows = written(study), rows_of(study)
    gains = [("dice", one) for one in (*data["declared"], *data["others"])]
    gains += [(metric, one) for metric, ones in data["secondary"].items() for one in ones]
    assert len(rows) == len(gains) == 3 * 14
    for row, (metric, one) in zip(rows, gains, strict=True):
        assert (row["arm"], row["metric"]) == (one["arm"], metric)
        assert [float(row[key]) for key in ("fraction", "gain", "low", "high", "patients", "trainings", "folds")] == [
            one["fraction"], one["gain"], *one["interval"], one["patients"], one["trainings"], one["folds"],
        ]  # fmt: skip
        for key in ("against", "ask", "margin", "family", "verdict", "refused", "p", "power", "patients_needed"):
            assert row[key] == str("" if one.get(key) is None else one[key])
    units = {row["metric"]: row["unit"] for row in rows}
    assert units == {"dice": "", "hd95": "pixels", "lesion_recall": ""}


def test_what_is_not_known_is_null_and_an_empty_cell() -> None:
    study = small_study(scores=draw({"real": 0.0, QUESTION: 0.07}, folds=1, patients=1, seeds=3))
    data, (row, *_) = written(study), rows_of(study)
    assert data["declared"][0]["interval"] is None
    assert {mean["interval"] for mean in data["means"]} == {None}
    assert (row["low"], row["high"], row["patients_needed"]) == ("", "", "")
    nothing = small_study(scores=draw({"real": 0.0}))
    assert (written(nothing)["lead"], written(nothing)["declared"], rows_of(nothing)) == (None, [], [])


def test_names_with_commas_quotes_and_lines_are_read_back() -> None:
    name = 'one, "two"\nthree'
    arms = (ReportArm("real", "reference"), ReportArm(name, "synthetic"))
    assert {row["arm"] for row in rows_of(small_study(scores=draw({"real": 0.0, name: 0.1}), arms=arms))} == {name}


def test_settings_of_any_type_are_written() -> None:
    settings = {"folder": Path("a") / "b", 7: (1, None, [True, 0.5]), "by seed": {0: {"on": False}}}
    assert written(small_study(settings=settings))["settings"] == {
        "folder": str(Path("a") / "b"),
        "7": [1, None, [True, 0.5]],
        "by seed": {"0": {"on": False}},
    }


def test_the_verdict_and_what_the_gate_found_stand_together(tmp_path: Path) -> None:
    data = written(small_study(evaluations={"fold 0": evaluation(tmp_path, has_copies=True)}))
    assert data["verdict"]["tone"] == "alarm"
    assert any("copies of training clips (fold 0)" in sentence for sentence in data["verdict"]["sentences"])
    assert data["generator"][0]["passed"] is False
