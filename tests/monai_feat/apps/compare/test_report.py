# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from scipy.stats import ttest_rel

from monai_feat.apps.compare.measures import Found, load_found
from monai_feat.apps.compare.report import compare, describe, overall_error
from monai_feat.apps.compare.study_file import Study

STUDY = Study("Two", "feat_ultrasound", {"cpu_seconds": 60}, {"a": {}, "b": {}, "c": {}})


def run(error: float) -> Found:
    modes = [[error, error], [2 * error, error]]
    return Found(10, 20, 0.5, 2**20, (0.5, 2.0), [error, 4 * error], [0.1, 0.2], modes, modes, {})


def test_the_interval_is_that_of_a_paired_test() -> None:
    first, other = [1.0, 1.1, 1.3], [0.9, 1.0, 1.25]
    found = compare([run(e) for e in first], [run(e) for e in other])
    expected = ttest_rel(*([math.log(e) for e in errors] for errors in (other, first))).confidence_interval(0.95)
    assert math.log1p(found.low) == pytest.approx(expected.low)
    assert math.log1p(found.high) == pytest.approx(expected.high)
    assert compare([run(1.0)] * 2, [run(0.5)] * 2).mean == pytest.approx(-0.5)


def test_more_comparisons_make_it_wider() -> None:
    first, other = [run(e) for e in (1.0, 1.1, 1.3)], [run(e) for e in (0.9, 1.0, 1.25)]
    assert compare(first, other, 5).low < compare(first, other).low


def test_the_overall_error_is_a_geometric_mean() -> None:
    assert overall_error(run(0.5)) == pytest.approx(1.0)


def test_the_page_says_what_can_be_told_apart() -> None:
    found = {"a": [run(1), run(1.2)], "b": [run(0.5), run(0.6)], "c": [run(1.1), run(1.1)]}
    page = "\n".join(describe(STUDY, found))
    assert "- b: error 50.0% lower than a (-50.0% to -50.0%, 2 seeds: told apart)." in page
    assert "- c: error" in page
    assert "cannot be told apart" in page
    assert "Budget of a run: 60 cpu-seconds. Seeds: 0, 1, 2." in page
    alone = "\n".join(describe(STUDY, {name: runs[:1] for name, runs in found.items()}))
    assert "one seed, so nothing can be told" in alone


def test_what_was_found_survives_json() -> None:
    assert load_found(run(0.3).to_json()) == run(0.3)
