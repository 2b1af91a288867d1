# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Curves over doses and over real patients, and the line of each patient: what is drawn, measured in the drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from downstream.report.doses import doses_section, patients_section
from downstream.report.findings import find
from downstream.scores import Score
from tests.downstream.report.studies import ARMS, GAINS, draw, parsed, small_study, values_of, words

QUESTION = "real + synthetic x1"


def panels(markup: str) -> dict[str, ElementTree.Element]:
    """The figures of a section by their titles."""
    return {words(figure.find("figcaption/b")): figure for figure in parsed(markup).iter("figure")}


def dots(figure: ElementTree.Element) -> list[tuple[float, float]]:
    """Places in per cent, from the left and from the bottom."""
    return [
        (float(dot.get("cx", "").rstrip("%")), 100 - float(dot.get("cy", "").rstrip("%")))
        for dot in figure.iter("circle")
    ]


def whiskers(figure: ElementTree.Element) -> list[tuple[float, float]]:
    """Low and high ends, from the bottom."""
    lines = [line for line in figure.iter("line") if line.get("class", "").startswith("line ")]
    low, high = ([100 - float(line.get(y, "").rstrip("%")) for line in lines] for y in ("y1", "y2"))
    return list(zip(low, high, strict=True))


def scale(values: list[float], places: list[float]) -> np.poly1d:
    """The linear axis on which values have these places; fails where there is none."""
    axis = np.poly1d(np.polyfit(values, places, 1))
    assert axis[1] > 0
    np.testing.assert_allclose(axis(values), places, atol=0.02)
    return axis


def test_gains_stand_over_their_doses_with_their_intervals() -> None:
    """Whatever the order of the arms; the reference is the dose 0 of gain 0."""
    scores = draw(GAINS, fractions=(0.25, 1.0))
    found = find(small_study(scores=scores, arms=ARMS[::-1]))
    shown = panels(doses_section(found))
    assert list(shown) == ["Gain in Dice, with all real data", "Gain in Dice, with 25\xa0% of the real data", "Dice"]
    for fraction, figure in zip((1.0, 0.25), shown.values(), strict=False):
        arms = ["real", "real + synthetic x0.5", QUESTION, "real + synthetic x2"]
        means = [values_of(scores, arm, "dice", fraction).mean() for arm in arms]
        gains = [mean - means[0] for mean in means]
        x, y = zip(*dots(figure), strict=True)
        scale([0.0, 0.5, 1.0, 2.0], list(x))
        axis = scale(gains, list(y))
        intervals = {one.arm: one.simultaneous for one in found.comparisons if one.fraction == fraction}
        ends = [intervals.get(arm) or (0.0, 0.0) for arm in arms]
        np.testing.assert_allclose(whiskers(figure), axis(np.array(ends)), atol=0.02)


def test_means_stand_over_the_share_of_real_patients() -> None:
    scores = draw(GAINS, fractions=(0.25, 0.5, 1.0))
    found = find(small_study(scores=scores, arms=ARMS))
    figure = panels(doses_section(found))["Dice"]
    arms = ["real", QUESTION, "real + strong augmentation"]
    x, y = zip(*dots(figure), strict=True)
    scale([1.0, 0.5, 0.25] * 3, list(x))
    cells = [(arm, fraction) for arm in arms for fraction in (1.0, 0.5, 0.25)]
    axis = scale([values_of(scores, arm, "dice", fraction).mean() for arm, fraction in cells], list(y))
    means = [found.mean_of(*cell, "dice") for cell in cells]
    np.testing.assert_allclose(whiskers(figure), axis(np.array([mean.interval for mean in means if mean])), atol=0.02)
    assert [line.get("class") for line in figure.iter("polyline")] == ["line second", "line first", "line third"]
    (keys,) = [each for each in parsed(doses_section(found)).iter("ul") if each.get("class") == "legend"]
    assert [words(item) for item in keys] == arms


def test_nothing_is_drawn_where_nothing_varies() -> None:
    assert doses_section(find(small_study())) == ""
    undosed = draw({"real": 0.0, "synthetic only": -0.1, "real + copies": 0.0})
    assert doses_section(find(small_study(scores=undosed, arms=ARMS))) == ""
    only_real = find(small_study(scores=draw({"real": 0.0}, fractions=(0.5, 1.0)), arms=ARMS))
    assert doses_section(only_real) == patients_section(only_real) == ""


@pytest.mark.parametrize("metric", ["dice", "hd95"])
def test_patients_who_gain_and_who_lose_are_told_apart(metric: str) -> None:
    """Each has two clips and two seeds; where a distance shrinks, a patient gains."""
    scores = draw({"real": 0.0, QUESTION: 0.01}, noise=0.05)
    markup = patients_section(find(small_study(scores=scores, metric=metric)))
    means = np.stack([values_of(scores, arm, metric).mean(axis=1) for arm in ("real", QUESTION)], axis=1)
    gains = (means[:, 1] - means[:, 0]) * (1 if metric == "dice" else -1)
    assert 0 < (gains > 0).sum() < len(gains) == 30
    (figure,) = panels(markup).values()
    expected = ["line third" if gain > 0 else "line first" for gain in gains]
    assert [line.get("class") for line in figure.iter("polyline")] == expected
    assert f"{(gains > 0).sum()} of 30 patients gain, {(gains < 0).sum()} lose." in markup
    scale(means.ravel().tolist(), [y for _, y in dots(figure)])


def test_a_patient_who_stays_is_neither() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.0}, noise=0.0)
    markup = patients_section(find(small_study(scores=scores)))
    assert "0 of 30 patients gain, 0 lose." in markup
    assert "line third" not in markup.split("<figure", 1)[1]


def test_patients_are_compared_over_the_trainings_that_both_arms_have() -> None:
    """The only other training of the reference in fold 2 did badly; that is not a gain of the other arm."""
    base = [s for s in draw({"real": 0.0, QUESTION: 0.0}, noise=0.0) if s.metric == "dice"]
    bad = [s for s in base if (s.arm, s.fold, s.seed) == ("real", 2, 1)]
    kept = [s for s in base if (s.fold, s.seed) != (2, 1)]
    scores = [*kept, *(Score(s.arm, s.fraction, s.fold, s.seed, s.patient, s.clip, s.metric, 0.1) for s in bad)]
    assert "0 of 30 patients gain, 0 lose." in patients_section(find(small_study(scores=scores)))
