# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.seed_table import Row, cell, over_seeds


def test_mean_and_deviation_are_those_of_numpy() -> None:
    values = [0.5, 1.5, 4.0]
    means, spread = over_seeds([{"error": value} for value in values])
    assert means == {"error": pytest.approx(np.mean(values))}
    assert spread == {"error": pytest.approx(np.std(values, ddof=1))}
    assert over_seeds([{"error": 0.5}]) == ({"error": 0.5}, {})


def test_what_cannot_be_measured_stays_so() -> None:
    means, spread = over_seeds([{"seam": math.nan}, {"seam": 1.0}])
    assert math.isnan(means["seam"])
    assert math.isnan(spread["seam"])


def test_a_cell_shows_the_spread_where_there_is_one() -> None:
    assert cell(Row("sampled", {"error": 0.25}, {"error": 0.125}), "error", 3) == "0.250 ± 0.125"
    assert cell(Row("real", {"error": 0.5}, {}), "error", 2) == "0.50"


def test_scores_of_other_names_are_refused() -> None:
    with pytest.raises(KeyError, match="error"):
        over_seeds([{"error": 0.5}, {"seam": 1.0}])
