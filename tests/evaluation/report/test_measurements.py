# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import re

from evaluation.report.measurements import curves_section, distributions_section
from evaluation.results import Curve, Distribution
from tests.evaluation.report.examples import full_evaluation, score


def test_each_property_has_a_panel_with_a_line_for_each_side() -> None:
    distributions = full_evaluation().distributions
    section = distributions_section(distributions)
    assert section.count('class="panel"') == len(distributions) == 4
    assert section.count("<polyline") == 12


def test_medians_are_told_and_what_could_not_be_measured() -> None:
    section = distributions_section([Distribution("a", "A", "px", (1.0, 2.0, 9.0), (5.0, math.nan), ())])
    assert "Median: training 2.00, synthetic 5.00. 1 clip could not be measured." in section
    assert section.count("<polyline") == 2
    assert "No clip could be measured" in distributions_section([Distribution("a", "A", "", (math.nan,), ())])


def test_curves_are_grouped_by_distance_in_the_order_given() -> None:
    curves = full_evaluation().curves
    section = curves_section(curves[::-1], [score(metric="frechet_descriptors", title="Of descriptors")])
    assert re.findall("<h3>(.*?)</h3>", section) == ["Of descriptors", "frechet random"]
    assert section.count('class="panel"') == len(curves) == 18
    assert "It rises with 9 of 9 corruptions." in section
    assert "It rises with 8 of 9 corruptions; not at every step with speed." in section
    assert section.count("does not rise at every step") == 1


def test_panels_of_one_distance_share_their_axis() -> None:
    curves = [Curve("m", "blur", (0, 1), (0.0, 10.0), True), Curve("m", "noise", (0, 1), (0.0, 5.0), True)]
    first, second = re.findall(r'points="([^"]*)"', curves_section(curves, []))
    heights = [100 - float(points.split(",")[-1]) for points in (first, second)]
    assert abs(heights[0] - 2 * heights[1]) < 0.02


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
    section = curves_section([Curve("m", "blur", (0, 1, 2), (1.0, math.nan, 2.0), False)], [])
    assert "nan" not in section
    assert section.count("<circle") == 2
