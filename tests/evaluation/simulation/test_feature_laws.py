# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated laws have the moments and distances that their closed forms say."""

from __future__ import annotations

import pytest
import torch

from evaluation.simulation.feature_laws import LAWS, SPECTRA, Law, Side, frechet_truth, kernel_truth
from monai_feat.metrics.functional import frechet_distance, kernel_distance


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("name", LAWS)
def test_closed_forms_agree_with_the_metrics(name: str, spectrum: str) -> None:
    real, fake = Law(name, spectrum, 5).sides()
    exact = frechet_distance(real.mean, real.deviation.square().diag(), fake.mean, fake.deviation.square().diag())
    assert frechet_truth(real, fake) == pytest.approx(float(exact), abs=1e-12)
    generator = torch.Generator().manual_seed(0)
    found = torch.stack(
        [kernel_distance(*(side.draw(150, torch.arange(150), generator) for side in (real, fake))) for _ in range(100)]
    )
    assert abs(float(found.mean()) - kernel_truth(real, fake)) < 4 * float(found.std() / 100**0.5)


@pytest.mark.parametrize("tails", ["", "heavy tails", "outlying patients"])
def test_draws_have_their_moments_and_their_likeness_in_groups(tails: str) -> None:
    side = Side(torch.tensor([1.0, -1.0]).double(), torch.tensor([2.0, 0.5]).double(), tails)
    groups = torch.arange(40_000) % 20_000
    drawn = side.draw(40_000, groups, torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.mean(0), side.mean, atol=0.05)
    assert torch.allclose(drawn.std(0), side.deviation, rtol=0.05)
    pairs = ((drawn - side.mean) / side.deviation).reshape(2, 20_000, 2)
    shared = float((pairs[0] * pairs[1]).mean())
    assert 0.2 < shared < 0.33  # 0.3 of the variance, less for radii that each clip draws for itself
    assert (pairs.square().mean(-1).std() > 1.2) == bool(tails)


def test_the_same_law_has_no_distance() -> None:
    assert frechet_truth(*Law("same", "decaying", 7).sides()) == 0
    assert kernel_truth(*Law("same", "decaying", 7).sides()) == 0


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown law 'skewed'"):
        Law("skewed", "flat", 3).sides()
    with pytest.raises(ValueError, match=r"real law has the mean .* expected 0 in every feature"):
        kernel_truth(Side(torch.ones(2), torch.ones(2)), Side(torch.ones(2), torch.ones(2)))
