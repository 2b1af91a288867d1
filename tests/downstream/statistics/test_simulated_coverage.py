# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json

import numpy as np
import pytest

from downstream.statistics import Differences, simulated_coverage
from downstream.statistics.simulated_coverage import TABLE

_OF_ONE_FOLD = {"folds": 1, "patients": 12, "seeds": 3}


def study(folds: int, patients: int, seeds: int) -> Differences:
    names = tuple(tuple(f"{fold}-{patient}" for patient in range(patients)) for fold in range(folds))
    blocks = tuple(np.zeros((patients, seeds)) for _ in range(folds))
    return Differences("a", "dice", 1.0, tuple(range(folds)), names, (tuple(range(seeds)),) * folds, blocks)


def test_the_worst_law_of_the_nearest_size_is_told() -> None:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["coverage"]
    for design in ({"folds": 3, "patients": 7, "seeds": 3}, {"folds": 5, "patients": 20, "seeds": 3}):
        found = [row["coverage"] for row in rows if design.items() <= row["design"].items()]
        assert len(found) > 5
        size = study(**design)
        near = study(design["folds"], design["patients"] + 1, design["seeds"])
        assert simulated_coverage(size) == simulated_coverage(near) == min(row["components"] for row in found)
        assert simulated_coverage(size, "bootstrap") == min(row["bootstrap"] for row in found)


def test_the_interval_in_use_holds_the_truth_nine_times_in_ten_everywhere() -> None:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["coverage"]
    assert min(row["coverage"]["components"] for row in rows) >= 0.9


def test_one_fold_is_never_compared_with_several() -> None:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["coverage"]
    single = [row["coverage"]["components"] for row in rows if row["design"] == {**_OF_ONE_FOLD, "clips": 2}]
    assert simulated_coverage(study(1, 15, 3)) == min(single)


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="simulated were components, bootstrap"):
        simulated_coverage(study(3, 9, 3), "jackknife")
