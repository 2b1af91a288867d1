# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from downstream.scores import Score
from downstream.statistics import arm_values, paired_differences


def table(metric: str = "dice", seeds: int = 2) -> list[Score]:
    """Two folds of two patients of two clips; the arm is better by 0.1 · (number of the patient)."""
    return [
        Score(arm, 0.5, fold, seed, f"p{fold}{patient}", f"{fold}{patient}{clip}", metric, start + gain * 0.1 * patient)
        for arm, gain in (("real", 0), ("new", 1))
        for fold in range(2)
        for seed in range(seeds)
        for patient in range(2)
        for clip, start in enumerate((0.2, 0.5))
    ]


def test_gains_are_means_over_the_clips_of_a_patient() -> None:
    found = paired_differences(table(), "new", "real", "dice", 0.5)
    assert (found.folds, found.seeds) == ((0, 1), ((0, 1), (0, 1)))
    assert found.patients == (("p00", "p01"), ("p10", "p11"))
    assert found.by_patient() == pytest.approx({"p00": 0.0, "p01": 0.1, "p10": 0.0, "p11": 0.1})
    assert [block.shape for block in found.values] == [(2, 2), (2, 2)]


def test_a_shorter_distance_is_a_gain() -> None:
    found = paired_differences(table("hd95"), "new", "real", "hd95", 0.5)
    assert found.by_patient()["p11"] == pytest.approx(-0.1)


def test_the_order_of_scores_does_not_matter() -> None:
    scores = table()
    shuffled = [scores[i] for i in np.random.default_rng(0).permutation(len(scores))]
    a, b = (paired_differences(rows, "new", "real", "dice", 0.5) for rows in (scores, shuffled))
    assert a == b
    np.testing.assert_array_equal(np.stack(a.values), np.stack(b.values))


def test_a_job_that_one_arm_lacks_is_left_out_and_named() -> None:
    scores = [s for s in table() if not (s.arm == "new" and (s.fold, s.seed) == (1, 0))]
    found = paired_differences(scores, "new", "real", "dice", 0.5)
    assert found.left_out == ("new, fold 1, seed 0",)
    assert found.seeds == ((0, 1), (1,))


def test_what_does_not_pair_is_refused() -> None:
    scores = table()
    with pytest.raises(ValueError, match="have no fold and seed in common"):
        paired_differences(scores, "new", "real", "dice", 1.0)
    with pytest.raises(ValueError, match="only one of it and the reference scored 111 of p11"):
        paired_differences(scores[:-1], "new", "real", "dice", 0.5)
    with pytest.raises(ValueError, match="patient 'p00' is tested in fold 0 and in 1"):
        paired_differences([replace(s, patient="p00") for s in scores], "new", "real", "dice", 0.5)
    fewer = [s for s in scores if not (s.patient == "p11" and s.seed == 1)]
    with pytest.raises(ValueError, match="fold 1: seed 1 has other patients than seed 0"):
        paired_differences(fewer, "new", "real", "dice", 0.5)


def test_gains_are_differences_of_the_values_of_both_arms() -> None:
    scores = table()
    gains = paired_differences(scores, "new", "real", "dice", 0.5)
    ours, theirs = (arm_values(scores, arm, "dice", 0.5) for arm in ("new", "real"))
    for fold, block in zip(gains.folds, gains.values, strict=True):
        np.testing.assert_allclose(block, ours[fold] - theirs[fold])
    with pytest.raises(ValueError, match=r"dice of arm 'old' at 0.5 of the real data: there are no scores"):
        arm_values(scores, "old", "dice", 0.5)
