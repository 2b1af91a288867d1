# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots and tables of gains, against SciPy's tests and means by NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from downstream.report import ReportArm
from downstream.report.findings import find
from downstream.report.gains import gains_section, means_section
from tests.downstream.report.studies import ARMS, EVIL, GAINS, draw, parsed, small_study, table_rows, values_of, words

QUESTION = "real + synthetic x1"


def rows_of(section: str, caption: str) -> dict[str, list[str]]:
    """Cells by the name at the head of their row, without its small print."""
    return {head.split(" | ")[0]: cells for head, cells in table_rows(parsed(section), caption).items()}


def value(cell: str) -> float:
    """The number of a cell, without its small print."""
    return float(cell.split(" | ")[0].replace("−", "-"))


def test_each_fraction_has_a_plot_with_all_arms_before_what_does_not_matter() -> None:
    found = find(small_study(scores=draw(GAINS, fractions=(0.25, 1.0)), arms=ARMS))
    all_data, a_quarter = parsed(gains_section(found)).iter("figure")
    assert words(all_data[0]) == "Gain in Dice, with all real datamore is better"
    assert words(a_quarter[0]) == "Gain in Dice, with 25\xa0% of the real datamore is better"
    for figure, fraction in ((all_data, 1.0), (a_quarter, 0.25)):
        rows = [row for row in figure.iter("div") if row.get("class") == "row"]
        comparisons = [one for one in found.comparisons if one.fraction == fraction]
        assert [words(row[0]) for row in rows] == [one.arm for one in comparisons]
        assert {one.arm for one in comparisons} == {arm.name for arm in ARMS[1:8]}
        assert [words(row[3]) for row in rows] == [one.verdict for one in comparisons]
        spoken = [row[1].get("aria-label") or "" for row in rows]
        assert all(label.endswith("compared with −0.020 to 0.020") for label in spoken)


def test_the_plot_has_the_gain_within_its_interval_on_a_linear_axis() -> None:
    found = find(small_study(scores=draw(GAINS), arms=ARMS))
    (figure,) = parsed(gains_section(found)).iter("figure")
    circles = [float((dot.get("cx") or "").rstrip("%")) for dot in figure.iter("circle")]
    gains = [one.gain for one in found.comparisons]
    axis = np.poly1d(np.polyfit(gains, circles, 1))
    np.testing.assert_allclose(axis(gains), circles, atol=0.01)
    flat = [line for line in figure.iter("line") if line.get("class") == "whisker" and line.get("y1") == line.get("y2")]
    ends = [[float((line.get(x) or "").rstrip("%")) for x in ("x1", "x2")] for line in flat]
    np.testing.assert_allclose(ends, axis(np.array([one.simultaneous for one in found.comparisons])), atol=0.01)
    bands = [float((band.get("x") or "").rstrip("%")) for band in figure.iter("rect")]
    assert bands == pytest.approx([axis(-0.02)] * 7, abs=0.01)


def test_p_values_are_scipy_s_times_the_size_of_the_family() -> None:
    """Over means of folds."""
    arms = ("real + copies", "synthetic only")
    scores = draw({"real": 0.0, "real + copies": 0.004, "synthetic only": 0.001}, folds=4)
    rows = rows_of(gains_section(find(small_study(scores=scores, arms=ARMS))), "Not asked")
    gains = {arm: (values_of(scores, arm) - values_of(scores, "real")).reshape(4, -1).mean(axis=1) for arm in arms}
    raw = [stats.ttest_1samp(gain, 0).pvalue for gain in gains.values()]
    assert [float(rows[arm][4]) for arm in arms] == pytest.approx([min(1.0, 2 * p) for p in raw], rel=0.05)
    assert [value(rows[arm][2]) for arm in arms] == pytest.approx([gain.mean() for gain in gains.values()], abs=6e-4)
    assert [rows[arm][5] for arm in arms] == ["40 | 4 folds, 8 trainings"] * 2


def test_what_was_asked_stands_apart_from_what_was_not() -> None:
    gains = {"real": 0.0, QUESTION: 0.07, "synthetic only": -0.2, "real + copies": 0.0}
    found = find(small_study(scores=draw(gains), arms=ARMS))
    asked, others = (rows_of(gains_section(found), title) for title in ("What was asked", "Not asked"))
    assert list(asked) == ["Arm", QUESTION]
    assert list(others) == ["Arm", "synthetic only", "real + copies"]
    cells, (one,) = asked[QUESTION], found.declared
    assert cells[:2] == ["benefit | margin 0.02", "helps"]
    assert others["synthetic only"][1] == "harms"
    low, high = (float(end.replace("−", "-")) for end in cells[3].split(" to "))
    assert (low, high) == pytest.approx(one.effect.interval(), abs=1e-3)
    assert float(cells[6].rstrip("\xa0%")) == pytest.approx(100 * one.power, abs=1)
    assert cells[7] == ("–" if one.patients_needed is None else str(one.patients_needed))


def test_one_patient_has_a_gain_without_an_interval_and_no_verdict() -> None:
    study = small_study(scores=draw({"real": 0.0, QUESTION: 0.1}, folds=1, patients=1, seeds=3))
    cells = rows_of(gains_section(find(study)), "What was asked")[QUESTION]
    assert cells[1].startswith("no verdict | one fold was tested")
    assert cells[2].endswith(" | no interval")
    assert cells[-2:] == ["–", "–"]


def test_what_was_asked_is_held_against_the_controls() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.07, "real + copies": 0.02, "real + strong augmentation": 0.07})
    section = gains_section(find(small_study(scores=scores, arms=ARMS)))
    rows = [
        [words(cell) for cell in row]
        for table in parsed(section).iter("table")
        if words(table[0]).startswith("Paired gains")
        for row in table.iter("tr")
    ]
    assert [row[1] for row in rows] == ["Against", "real + strong augmentation", "real + copies"]
    assert (rows[1][3], rows[2][3]) != ("helps", "helps")
    assert rows[2][3] == "helps"
    assert "against the controls" not in gains_section(find(small_study()))


def test_nothing_compared_is_said() -> None:
    assert gains_section(find(small_study(scores=draw({"real": 0.0})))) == (
        "<p>No arm was compared with the reference.</p>"
    )


def test_means_of_all_arms_by_all_metrics() -> None:
    scores = draw(GAINS)
    section = means_section(find(small_study(scores=scores, arms=ARMS)))
    rows = rows_of(section, "All arms with all real data")
    assert rows["Arm"] == ["Dice ↑", "95 % Hausdorff distance, pixels ↓", "Lesions found ↑"]
    assert list(rows) == ["Arm", *(arm.name for arm in ARMS)]
    precision = {"dice": 0.01, "hd95": 0.5, "lesion_recall": 0.05}
    for arm in ARMS:
        for cell, (metric, digits) in zip(rows[arm.name], precision.items(), strict=True):
            assert value(cell) == pytest.approx(values_of(scores, arm.name, metric).mean(), abs=digits)
    faded = [row[0].text for row in parsed(section).iter("tr") if row.get("class") == "faded"]
    assert faded == ["always empty", "always centre"]


def test_what_was_not_scored_has_a_dash_and_no_row() -> None:
    every = draw({"real": 0.0, QUESTION: 0.05}, fractions=(0.5, 1.0))
    kept = [s for s in every if s.arm == "real" or (s.fraction, s.metric) == (1.0, "dice")]
    section = means_section(find(small_study(scores=kept)))
    assert rows_of(section, "All arms with all real data")[QUESTION][1:] == ["–", "–"]
    assert list(rows_of(section, "All arms with 50\xa0% of the real data")) == ["Arm", "real"]


def test_names_cannot_break_the_markup() -> None:
    arms = (ReportArm("real", "reference"), ReportArm(EVIL, "synthetic"), ReportArm(f"{EVIL}2", "control"))
    found = find(small_study(scores=draw({"real": 0.0, EVIL: 0.1, f"{EVIL}2": 0.0}), arms=arms))
    assert EVIL in rows_of(gains_section(found), "Not asked")
    assert EVIL in rows_of(means_section(found), "All arms")
    assert not list(parsed(gains_section(found) + means_section(found)).iter("script"))
