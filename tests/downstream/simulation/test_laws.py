# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from downstream.simulation.laws import LAWS, Design, Spread, draw_studies, summarise


@pytest.mark.parametrize("law", LAWS)
def test_laws_have_mean_0_and_variance_1(law: str) -> None:
    values = LAWS[law](np.random.default_rng(0), (400_000,))
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert values.var() == pytest.approx(1, rel=0.15)


def test_studies_vary_as_gains_drawn_one_by_one_do() -> None:
    """The fast draws against every patient and training written out: means and sums of squares, in mean and spread."""
    rng, spread, design = np.random.default_rng(0), Spread(0.5, 0.7, 0.6), Design(2, 6, 3, balanced=False)
    fast = draw_studies(rng, design, spread, "normal", 20_000)
    blocks = [
        rng.normal(size=(20_000, 1, n, 1)) + 0.5 * rng.normal(size=(20_000, 1, 1, 1))
        + 0.7 * rng.normal(size=(20_000, 1, 1, s)) + 0.6 * rng.normal(size=(20_000, 1, n, s))
        for n, s in zip((8, 4), (2, 3), strict=True)
    ]  # fmt: skip
    slow = summarise(blocks)
    assert (slow.sizes, slow.trainings) == (fast.sizes, fast.trainings) == ([8, 4], [2, 3])
    for one, other in ((fast.means, slow.means), (fast.of_patients, slow.of_patients),
                       (fast.of_trainings, slow.of_trainings)):  # fmt: skip
        assert one.mean(axis=0) == pytest.approx(other.mean(axis=0), rel=0.03, abs=0.03)
        assert one.std(axis=0) == pytest.approx(other.std(axis=0), rel=0.04)


def test_arms_share_their_reference() -> None:
    found = draw_studies(np.random.default_rng(0), Design(1, 10, 2), Spread(0.5, 0.5), "skewed", 4000, arms=3)
    correlations = np.corrcoef(found.means[:, :, 0].T)
    assert correlations[np.triu_indices(3, 1)] == pytest.approx(0.5, abs=0.05)
    some = found.first(7)
    assert (some.means.shape, some.of_patients.shape, some.of_trainings.shape) == ((7, 3, 1), (7, 3), (7, 3))


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(KeyError, match="uniform"):
        draw_studies(np.random.default_rng(0), Design(2, 2, 2), Spread(), "uniform", 2)
