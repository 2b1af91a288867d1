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
        assert [words(row[0]) for row in rows] == [one.arm for one in comparisons] == [arm.name for arm in ARMS[1:8]]
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
    np.testing.assert_allclose(ends, axis(np.array([one.effect.interval() for one in found.comparisons])), atol=0.01)
    bands = [float((band.get("x") or "").rstrip("%")) for band in figure.iter("rect")]
    assert bands == pytest.approx([axis(-0.02)] * 7, abs=0.01)


def test_the_table_of_tests_has_scipy_s_p_values_corrected_by_holm() -> None:
    """Of one training in one fold the test is the paired one over patients."""
    arms = (QUESTION, "real + copies")
    scores = draw({"real": 0.0, QUESTION: 0.004, "real + copies": 0.001}, folds=1, seeds=1, patients=8)
    rows = rows_of(gains_section(find(small_study(scores=scores, arms=ARMS))), "Tests of all arms")
    gains = {arm: (values_of(scores, arm) - values_of(scores, "real")).mean(axis=1) for arm in arms}
    for column, test in ((3, stats.ttest_1samp), (5, lambda gain, _: stats.wilcoxon(gain))):
        raw = [test(gain, 0).pvalue for gain in gains.values()]
        least, other = 2 * min(raw), max(raw)
        corrected = [min(1.0, least if p == min(raw) else max(least, other)) for p in raw]
        shown = [rows[arm][column] for arm in gains]
        assert [float(p) for p in shown] == pytest.approx(corrected, rel=0.05)
    assert [value(rows[arm][0]) for arm in gains] == pytest.approx([gain.mean() for gain in gains.values()], abs=6e-4)
    assert [rows[arm][2] for arm in gains] == ["cannot be told"] * 2
    assert [rows[arm][6] for arm in gains] == ["8 | 1 trainings"] * 2


def test_a_row_of_the_tests_says_what_was_found() -> None:
    found = find(small_study(scores=draw({"real": 0.0, QUESTION: 0.07, "synthetic only": -0.2}), arms=ARMS))
    rows = rows_of(gains_section(found), "Tests of all arms")
    assert list(rows) == ["Arm", QUESTION, "synthetic only"]
    helps, harms = rows[QUESTION], rows["synthetic only"]
    assert helps[0].startswith("+0.0")
    assert harms[0].startswith("−0.")
    assert (helps[2], harms[2]) == ("helps", "harms")
    for cells, one, ends in zip((helps, harms), found.comparisons, found.bootstrap, strict=True):
        low, high = (float(end.replace("−", "-")) for end in cells[1].split(" to "))
        assert (low, high) == pytest.approx(ends, abs=1e-3)
        assert float(cells[7].rstrip("\xa0%")) == pytest.approx(100 * one.power, abs=1)
        assert cells[8] == str(one.patients_needed)


def test_one_patient_has_a_gain_without_an_interval_and_no_number_is_enough() -> None:
    study = small_study(scores=draw({"real": 0.0, QUESTION: 0.1}, folds=1, patients=1, seeds=3))
    cells = rows_of(gains_section(find(study)), "Tests of all arms")[QUESTION]
    assert cells[0].endswith(" | no interval")
    assert cells[-1] == "none is enough"


def test_the_leading_arm_is_held_against_the_controls() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.07, "real + copies": 0.02, "real + strong augmentation": 0.07})
    section = gains_section(find(small_study(scores=scores, arms=ARMS)))
    rows = rows_of(section, "Paired gains")
    assert list(rows) == ["Against", "real + strong augmentation", "real + copies"]
    apart = values_of(scores, QUESTION).mean() - values_of(scores, "real + copies").mean()
    assert value(rows["real + copies"][0]) == pytest.approx(apart, abs=1e-3)
    assert rows["real + copies"][2] == "helps"
    assert rows["real + strong augmentation"][2] != "helps"
    assert f"“{QUESTION}” against the controls" in section
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
    assert EVIL in rows_of(gains_section(found), "Tests of all arms")
    assert EVIL in rows_of(means_section(found), "All arms")
    assert not list(parsed(gains_section(found) + means_section(found)).iter("script"))
