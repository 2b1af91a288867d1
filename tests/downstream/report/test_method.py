# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is said about the arms, the method and its limits: all that is given, and only what holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from downstream.report.findings import find
from downstream.report.method import arms_section, limits_section, method_section
from downstream.statistics.simulated import largest_error, least_coverage
from tests.downstream.report.studies import ARMS, EVIL, draw, parsed, small_study, table_rows, words

QUESTION = "real + synthetic x1"
NO_EVALUATION = "no evaluation of them was given"
ONE_FOLD, ONE_SEED = "only one fold was tested", "every fold was trained with one seed"


def headings(markup: str) -> list[str]:
    return [words(heading) for heading in parsed(markup).iter("h3")]


def test_minutes_of_arms_and_of_all_else_add_up() -> None:
    minutes = {QUESTION: 2.25, "generator": 30.0, "real": 1.5}
    rows = table_rows(parsed(arms_section(find(small_study(minutes=minutes)))), "Arms, and what they cost")
    shown = {name: (what, cost) for name, (what, cost) in rows.items() if name != "Arm"}
    assert shown == {
        "real | reference": (ARMS[0].description, "1.50"),
        f"{QUESTION} | synthetic": (ARMS[2].description, "2.25"),
        "generator": ("beside the arms", "30.0"),
        "all": ("", f"{sum(minutes.values()):.1f}"),
    }


def test_what_took_no_known_time_has_a_dash_and_no_sum() -> None:
    rows = table_rows(parsed(arms_section(find(small_study()))), "Arms")
    assert [cells[-1] for cells in rows.values()] == ["Minutes", "–", "–"]


def test_settings_command_and_versions_are_told_where_they_are_known() -> None:
    settings = {"seeds": [0, 1], "data": {"frame_size": 64}, EVIL: EVIL}
    study = small_study(settings=settings, command=f"python {EVIL}", versions={"torch": "2.13.0"})
    markup = method_section(find(study))
    assert headings(markup) == ["The study in full", "To make this again", "Software"]
    terms, values = ([words(each) for each in parsed(markup).iter(tag)] for tag in ("dt", "dd"))
    assert dict(zip(terms, values, strict=True)) == {
        "seeds": "0, 1",
        "data · frame size": "64",
        EVIL: EVIL,
        "torch": "2.13.0",
    }
    assert [words(code) for code in parsed(markup).iter("code")] == [f"python {EVIL}"]
    assert headings(method_section(find(small_study()))) == []


def test_a_job_that_failed_is_named_once_whatever_it_was_compared_for() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.05, "real + copies": 0.0})
    scores = [score for score in scores if (score.arm, score.fold, score.seed) != ("real", 2, 1)]
    markup = method_section(find(small_study(scores=scores, arms=ARMS)))
    assert headings(markup) == ["Left out"]
    assert words(list(parsed(markup).iter("ul"))[-1]) == "real, fold 2, seed 1"


def test_error_rates_are_those_of_the_simulation() -> None:
    markup = method_section(find(small_study()))
    assert f"it erred in {100 * largest_error():.2g}\xa0% at most" in markup
    assert f"and {100 * least_coverage():.2g}\xa0% of intervals at least" in markup


@pytest.mark.parametrize(
    ("folds", "seeds", "expected"),
    [(3, 2, []), (1, 2, [ONE_FOLD]), (3, 1, [ONE_SEED]), (1, 1, [ONE_FOLD, ONE_SEED])],
)
def test_limits_are_those_of_the_study(folds: int, seeds: int, expected: list[str]) -> None:
    scores = draw({"real": 0.0, QUESTION: 0.05}, folds=folds, seeds=seeds)
    markup = limits_section(find(small_study(scores=scores, evaluations={"fold 0": Path("report.json")})))
    assert [limit for limit in (NO_EVALUATION, ONE_FOLD, ONE_SEED) if limit in markup] == expected
    assert NO_EVALUATION in limits_section(find(small_study(scores=scores)))
