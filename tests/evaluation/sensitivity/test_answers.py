# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from evaluation.sensitivity import corrupted_features, corruption_curves, measure_levels, split_halves
from evaluation.sensitivity.answers import Answer, join_seeds, markdown_table, measure_answers
from evaluation.sensitivity.corruptions import CORRUPTIONS
from tests.evaluation.sensitivity.test_curves import CLIPS, GROUPS, SPACE

FIRST = Answer("Kernel distance", "blur", ((0.0, 1.0, 2.0, 4.0, 8.0),), (0.5,))
SECOND = Answer("Kernel distance", "blur", ((0.0, 1.0, 1.0, 4.0, 8.0),), (0.25,))


def test_answers_are_the_curves_with_the_spread_of_their_floor() -> None:
    answers = measure_answers(CLIPS, GROUPS, [SPACE], ["kernel", "frechet"], splits=2, seed=3)
    assert len(answers) == 2 * len(CORRUPTIONS)
    curves = corruption_curves(CLIPS, [SPACE], GROUPS, splits=2, seed=3, progress=False)
    assert [answer.values[0] for answer in answers[:9]] == [curve.values for curve in curves]
    assert [answer.grew[0] for answer in answers[:9]] == [curve.monotone for curve in curves]
    levels = measure_levels(
        SPACE, corrupted_features(CLIPS, SPACE.network, 3), split_halves(GROUPS, 2, 3), "frechet", 3
    )
    assert answers[-1].spreads[0] == pytest.approx(np.std(levels["collapse"][0], ddof=1))


def test_splits_that_all_agree_are_an_error() -> None:
    with pytest.raises(ValueError, match="the floor is the same in all splits"):
        measure_answers([CLIPS[0]] * 4, GROUPS[:4], [SPACE], ["kernel"], splits=2)


def test_seeds_are_joined_and_steps_counted_in_spreads_of_the_floor() -> None:
    (both,) = join_seeds([[FIRST], [SECOND]])
    assert both.grew == (True, False)
    assert both.steps == ((2.0, 2.0, 4.0, 8.0), (4.0, 0.0, 12.0, 16.0))
    with pytest.raises(ValueError, match="shorter"):
        join_seeds([[FIRST], []])


def test_the_table_counts_seeds_and_states_their_spread() -> None:
    joined = join_seeds([[FIRST], [SECOND]])
    lines = markdown_table(joined).splitlines()
    assert lines[0] == "| grew at every level; steps | Kernel distance |"
    assert lines[2] == "| Blur | 1 of 2: +3.0 ± 1.4, +1.0 ± 1.4, +8.0 ± 5.7, +12.0 ± 5.7 |"
    assert lines[-1] == "| so many of 9, by seed | 1, 0 |"
    assert "±" not in markdown_table([FIRST])
