# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from downstream.report import write_report
from downstream.report.findings import find
from downstream.scores import read_scores
from tests.downstream.report.studies import ARMS, EVIL, draw, full_study, small_study
from tests.monai_feat.visualize.browser import Visit, headless_browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return write_report(folder / "out", full_study(folder))


def test_page_json_and_tables_agree(report: Path) -> None:
    study = full_study(report.parent.parent / "again")
    data = json.loads(report.with_name("report.json").read_text(encoding="utf-8"))
    assert read_scores(report.with_name("scores.csv")) == study.scores
    expected = find(study).comparisons
    told = [*data["declared"], *data["others"]]
    assert [row["gain"] for row in told] == [one.gain for one in expected]
    assert [row["verdict"] for row in told] == [one.verdict for one in expected]
    with report.with_name("comparisons.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * len(expected)
    for row, one in zip(rows, expected, strict=False):
        assert (row["arm"], float(row["gain"]), row["metric"]) == (one.arm, one.gain, "dice")
        assert float(row["low"]) < one.gain < float(row["high"])
    assert {row["verdict"] for row in rows if row["metric"] != "dice"} == {""}
    page = report.read_text(encoding="utf-8")
    assert all(sentence.split(":")[0] in page for sentence in data["verdict"]["sentences"])


def test_no_name_breaks_the_page(report: Path) -> None:
    page = report.read_text(encoding="utf-8")
    assert EVIL not in page
    assert page.count("<script>") == 1


def test_every_part_is_there(report: Path) -> None:
    page = report.read_text(encoding="utf-8")
    headings = re.findall(r"<h2 id=[^>]*>(.*?)</h2>", page)
    assert headings == [
        "Does it help?", "Dose and response", "Patient by patient", "Best and worst clips", "The generator’s clips",
        "All arms, all scores", "Arms and cost", "How this was made", "What these numbers cannot say",
    ]  # fmt: skip
    assert page.count('class="clip"') == 4 * 3 + 4  # examples in three ways, and samples
    assert "93.0" in page
    assert "2 clips nearer to a training clip than chance allows" in page
    assert page.count("always centre") >= 2


def test_it_opens_without_complaint_on_a_desk_and_on_a_phone(report: Path) -> None:
    with headless_browser() as browser:
        for width in (1280, 390):
            with Visit(browser, report, width) as visit:
                assert visit.foreign_requests == []
                assert visit.complaints == []
                assert visit.overflow() == 0


def test_it_keeps_to_its_budget_with_fewer_pictures(tmp_path: Path) -> None:
    study = small_study(examples=full_study(tmp_path).examples[:2])
    whole = write_report(tmp_path, study).stat().st_size
    assert write_report(tmp_path, study, budget=whole - 1).stat().st_size < whole
    with pytest.raises(ValueError, match="without pictures, the budget is 1000"):
        write_report(tmp_path, study, budget=1000)


def test_a_job_that_failed_is_named(tmp_path: Path) -> None:
    gains = {"real": 0.0, "real + synthetic x1": 0.05}
    scores = [s for s in draw(gains) if not (s.arm != "real" and (s.fold, s.seed) == (2, 1))]
    page = write_report(tmp_path, small_study(scores=scores)).read_text(encoding="utf-8")
    assert "real + synthetic x1, fold 2, seed 1" in page


def test_the_least_study_has_a_page_that_claims_nothing(tmp_path: Path) -> None:
    scores = draw({"real": 0.0}, folds=1, patients=1, seeds=1)
    page = write_report(tmp_path, small_study(scores=scores, arms=ARMS)).read_text(encoding="utf-8")
    assert "asked nothing of arms that have scores" in page
    assert "No arm was compared" in page


def test_one_patient_is_no_evidence(tmp_path: Path) -> None:
    scores = draw({"real": 0.0, "real + synthetic x1": 0.2}, folds=1, patients=1, seeds=3)
    page = write_report(tmp_path, small_study(scores=scores)).read_text(encoding="utf-8")
    assert "There is no verdict on “real + synthetic x1” and “real”" in page
    assert "one patient: no interval" in page
