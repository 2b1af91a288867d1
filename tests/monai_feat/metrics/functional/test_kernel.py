# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchmetrics.image.kid import poly_mmd

from monai_feat.metrics.functional import kernel_distance, kernel_distance_terms, rows


def naive_distance(real: Tensor, fake: Tensor) -> float:
    """The definition, pair by pair."""

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x @ y / len(x) + 1) ** 3)

    within_real = [kernel(x, y) for i, x in enumerate(real) for j, y in enumerate(real) if i != j]
    within_fake = [kernel(x, y) for i, x in enumerate(fake) for j, y in enumerate(fake) if i != j]
    across = [kernel(x, y) for x in real for y in fake]
    return sum(within_real) / len(within_real) + sum(within_fake) / len(within_fake) - 2 * sum(across) / len(across)


@pytest.fixture
def samples() -> tuple[Tensor, Tensor]:
    return torch.randn(17, 5, dtype=torch.float64), torch.randn(12, 5, dtype=torch.float64) * 1.5 + 0.5


def test_it_is_the_definition(samples: tuple[Tensor, Tensor]) -> None:
    assert kernel_distance(*samples).item() == pytest.approx(naive_distance(*samples), rel=1e-12)


def test_it_is_kid_on_one_subset_that_is_the_whole() -> None:
    real, fake = torch.randn(40, 16, dtype=torch.float64), torch.randn(40, 16, dtype=torch.float64) + 0.2
    torch.testing.assert_close(kernel_distance(real, fake), poly_mmd(real, fake), rtol=1e-11, atol=1e-12)


def test_blocks_do_not_change_it(samples: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kernel_distance_terms(*samples)
    monkeypatch.setattr(rows, "BLOCK_ELEMENTS", 30)
    for found, wanted in zip(kernel_distance_terms(*samples), whole, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_it_expects_zero_for_the_same_law_at_any_size() -> None:
    found = torch.stack([kernel_distance(torch.randn(8, 20), torch.randn(30, 20)) for _ in range(400)])
    assert found.mean().abs() < 3 * found.std() / 20


def test_terms_are_the_influence_of_single_clips(samples: tuple[Tensor, Tensor]) -> None:
    real, fake = samples
    value, terms_real, terms_fake = kernel_distance_terms(real, fake)
    without_real = torch.stack([kernel_distance(torch.cat([real[:i], real[i + 1 :]]), fake) for i in range(17)])
    without_fake = torch.stack([kernel_distance(real, torch.cat([fake[:i], fake[i + 1 :]])) for i in range(12)])
    for terms, without in ((terms_real, without_real), (terms_fake, without_fake)):
        jackknife = (value - without) * (len(terms) - 1)
        assert torch.corrcoef(torch.stack([terms, jackknife]))[0, 1] > 0.99
        assert terms.std() == pytest.approx(jackknife.std().item(), rel=0.2)
        assert terms.mean().abs() < 1e-12 * terms.std()


def test_terms_give_the_standard_error() -> None:
    found, errors = [], []
    for _ in range(200):
        value, terms_real, terms_fake = kernel_distance_terms(torch.randn(100, 4), 1.5 * torch.randn(80, 4) + 0.5)
        found.append(value)
        errors.append((terms_real.var() / 100 + terms_fake.var() / 80).sqrt())
    assert torch.stack(errors).mean() == pytest.approx(torch.stack(found).std().item(), rel=0.2)


@pytest.mark.parametrize(
    ("real", "fake", "complaint"),
    [
        (torch.zeros(1, 3), torch.zeros(5, 3), "at least 2 rows of real features, got 1"),
        (torch.zeros(5, 3), torch.full((5, 3), torch.nan), "fake features hold NaN"),
        (torch.zeros(5, 3), torch.zeros(5, 4), "same D on both sides"),
        (torch.zeros(5), torch.zeros(5, 4), r"real features \(N, D\), got shape \(5,\)"),
    ],
)
def test_unusable_features_are_refused(real: Tensor, fake: Tensor, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        kernel_distance(real, fake)
