# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from monai_feat.metrics.functional import (
    authenticity,
    expected_coverage,
    nearest_distances,
    nearest_neighbour_ratio,
    precision_recall_density_coverage,
    rows,
)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def all_distances(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, None] - b).square().sum(dim=-1).sqrt()  # (N, M)


def naive_scores(real: Tensor, fake: Tensor, k: int) -> dict[str, float]:
    """Precision, recall, density and coverage by their definitions over the whole matrix."""
    reach_real = all_distances(real, real).sort(dim=1).values[:, k]  # column 0 is the clip itself
    reach_fake = all_distances(fake, fake).sort(dim=1).values[:, k]
    distances = all_distances(real, fake)
    reached = distances < reach_real[:, None]
    return {
        "precision": reached.any(dim=0).double().mean().item(),
        "recall": (distances < reach_fake).any(dim=1).double().mean().item(),
        "density": reached.sum().item() / (k * len(fake)),
        "coverage": (distances.min(dim=1).values < reach_real).double().mean().item(),
    }


def scores(real: Tensor, fake: Tensor, k: int) -> dict[str, float]:
    return {name: value.item() for name, value in precision_recall_density_coverage(real, fake, k).items()}


@pytest.fixture(params=[2**22, 100], ids=["one block", "many blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_ELEMENTS", request.param)


@pytest.mark.usefixtures("_blocks")
def test_nearest_distances_are_those_of_the_whole_matrix() -> None:
    a, b = normal(31, 6) + 100, normal(23, 6) + 100
    values, indices = nearest_distances(a, b, k=3)
    wanted = all_distances(a, b).topk(3, largest=False)
    torch.testing.assert_close(values, wanted.values, rtol=1e-13, atol=0)
    assert torch.equal(indices, wanted.indices)


@pytest.mark.usefixtures("_blocks")
def test_no_row_is_its_own_neighbour_when_excluded() -> None:
    a = normal(31, 6)
    values, indices = nearest_distances(a, a, k=2, exclude_self=True)
    assert (indices != torch.arange(31)[:, None]).all()
    torch.testing.assert_close(values, all_distances(a, a).sort(dim=1).values[:, 1:3], rtol=1e-13, atol=0)
    assert (nearest_distances(a, a)[0] == 0).all()


def test_a_copy_lies_at_zero_and_a_near_copy_where_it_is() -> None:
    train = normal(50, 300) + 1000
    fake = train[[7, 9]].clone()
    fake[1, 0] += 1e-6
    values, indices = nearest_distances(fake, train)
    assert indices[:, 0].tolist() == [7, 9]
    assert values[0, 0] == 0
    assert values[1, 0].item() == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("a", "b", "options", "complaint"),
    [
        (torch.zeros(3, 2), torch.zeros(4, 3), {}, "same D on both sides"),
        (torch.zeros(3, 2), torch.zeros(4, 2), dict(k=5), "1 <= k <= 4, the rows to choose from, got k = 5"),
        (torch.zeros(3, 2), torch.zeros(3, 2), dict(k=3, exclude_self=True), "1 <= k <= 2"),
        (torch.zeros(3, 2), torch.zeros(4, 2), dict(exclude_self=True), "the same rows twice"),
        (torch.zeros(3, 2, 1), torch.zeros(3, 2), {}, r"features a \(N, D\), got shape \(3, 2, 1\)"),
        (torch.zeros(3, 2), torch.full((3, 2), torch.nan), {}, "features b hold NaN"),
        (torch.zeros(0, 2), torch.zeros(3, 2), {}, "at least 1 rows of features a, got 0"),
    ],
)
def test_unusable_rows_are_refused(a: Tensor, b: Tensor, options: dict[str, int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        nearest_distances(a, b, **options)  # type: ignore[arg-type]


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("k", [1, 4])
def test_scores_are_those_of_their_definitions(k: int) -> None:
    real, fake = normal(60, 3), normal(45, 3) * 0.8 + 0.5
    assert scores(real, fake, k) == pytest.approx(naive_scores(real, fake, k))


def test_what_lies_exactly_at_the_reach_is_out_of_it() -> None:
    """As in the authors' code, where the paper on precision and recall includes it; one step nearer all is within."""
    real = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])[:, None]  # each reaches as far as 1
    fake = torch.tensor([-4.0, -3.0, 3.0, 4.0])[:, None]  # likewise
    assert scores(real, fake, 1) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}
    nearer = scores(real, fake - 0.01 * fake.sign(), 1)
    assert nearer == {"precision": 0.5, "recall": 0.4, "density": 0.5, "coverage": 0.4}


def test_scores_tell_a_collapse_from_a_spread() -> None:
    real = normal(200, 4)
    collapsed, spread = scores(real, real[0] + 0.01 * normal(50, 4), 5), scores(real, 4 * normal(200, 4), 5)
    assert collapsed["precision"] == 1
    assert collapsed["coverage"] < 0.2
    assert collapsed["recall"] < 0.2
    assert spread["precision"] < 0.5
    assert spread["recall"] > 0.5


def test_coverage_of_the_same_law_is_the_closed_form() -> None:
    found = [scores(normal(60, 3), normal(40, 3), 3)["coverage"] for _ in range(400)]
    assert sum(found) / 400 == pytest.approx(expected_coverage(60, 40, 3), abs=0.01)


@pytest.mark.slow
def test_scores_are_those_the_authors_publish() -> None:
    """The example in the README of clovaai/generative-evaluation-prdc, whose seed is not known."""
    found = scores(torch.randn(10_000, 1000), torch.randn(10_000, 1000), 5)
    assert found["precision"] == pytest.approx(0.4772, abs=0.02)
    assert found["recall"] == pytest.approx(0.4705, abs=0.02)
    assert found["density"] == pytest.approx(1.0555, abs=0.05)
    assert found["coverage"] == pytest.approx(0.9735, abs=0.005)


def test_expected_coverage_at_its_ends() -> None:
    assert expected_coverage(2, 1, 1) == pytest.approx(0.5)  # two reals and a fake: is the fake or the real nearer?
    assert expected_coverage(100, 10**9, 5) == pytest.approx(1)
    with pytest.raises(ValueError, match="1 <= k < num_real"):
        expected_coverage(5, 5, 5)


def test_scores_need_more_clips_than_neighbours() -> None:
    with pytest.raises(ValueError, match="more than k = 5 rows on each side, got 5 real and 9 fake"):
        precision_recall_density_coverage(normal(5, 2), normal(9, 2), k=5)


def test_authenticity_is_its_definition() -> None:
    train, fake = normal(40, 3), normal(30, 3)
    authentic = []
    for distances in all_distances(fake, train):
        nearest = int(distances.argmin())
        others = all_distances(train[nearest : nearest + 1], train)[0].sort().values
        authentic.append(float(distances[nearest] > others[1]))
    assert authenticity(train, fake).item() == pytest.approx(sum(authentic) / 30)


def test_copies_are_not_authentic() -> None:
    train = normal(40, 5)
    assert authenticity(train, train + 1e-6) == 0
    assert authenticity(train, train + 100) == 1


def test_the_ratio_marks_copies() -> None:
    train = normal(50, 20)
    ratios = nearest_neighbour_ratio(train, torch.cat([train[:3] + 0.01 * normal(3, 20), normal(40, 20)]))
    assert (ratios[:3] < 1 / 3).all()
    assert (ratios[3:] > 1 / 3).all()
    assert (ratios <= 1).all()


def test_a_copy_of_a_doubled_training_clip_has_ratio_zero() -> None:
    train = torch.tensor([[1.0, 2.0], [1.0, 2.0], [5.0, 5.0]])
    assert nearest_neighbour_ratio(train, train[:1]).tolist() == [0]


@pytest.mark.parametrize("function", [authenticity, nearest_neighbour_ratio])
def test_one_training_clip_is_too_few(function: object) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match=r"1 <= k <= [01], the rows to choose from"):
        function(torch.zeros(1, 3), torch.zeros(4, 3))
