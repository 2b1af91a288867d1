# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals: where they lie, that they cover, where they are refused."""

from __future__ import annotations

import pytest
import torch
from scipy import stats
from torch import Tensor

from evaluation.scoring import intervals
from evaluation.scoring.intervals import (
    TABLE,
    Kind,
    Regime,
    distance_interval,
    mean_interval,
    simulated_coverage,
    tail_weight,
    why_no_interval,
)
from monai_feat.metrics.functional import frechet_distance_from_features, kernel_distance


def normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def names(count: int, groups: int | None = None) -> list[str]:
    return [f"patient {number % (groups or count)}" for number in range(count)]


def test_intervals_lie_around_their_scores() -> None:
    real, fake = normal(100, 40), normal(120, 40, seed=1) + 0.3
    for kind, score in (("frechet", frechet_distance_from_features), ("kernel", kernel_distance)):
        interval = distance_interval(kind, real, fake, names(100), names(120))
        assert interval is not None
        assert interval.low < float(score(real, fake)) < interval.high
        assert interval.centre == pytest.approx(float(score(real, fake)), rel=1e-8)
        assert 0.9 <= (interval.coverage or 0) <= 1
        wider = distance_interval(kind, real, fake, names(100), names(120), level=0.99)
        assert wider is not None
        assert wider.low < interval.low < interval.high < wider.high


@pytest.mark.parametrize("kind", ["frechet_infinite", "kernel"])
def test_intervals_of_laws_cover_what_is_known(kind: Kind) -> None:
    held = 0
    for seed in range(60):
        real, fake = normal(100, 4, seed=seed), 1.5 * normal(100, 4, seed=seed + 1000)
        interval = distance_interval(kind, real, fake, names(100), names(100), seed=seed)
        assert interval is not None
        truth = 4 * 0.5**2 if kind == "frechet_infinite" else 3 * (1.5**2 - 1) ** 2 * 4 / 4**2
        held += interval.low <= truth <= interval.high
    assert held >= 52  # of 57 expected; fewer has probability 0.02


def test_a_distance_of_one_law_is_not_told_from_zero() -> None:
    held = 0
    for seed in range(40):
        interval = distance_interval(
            "kernel", normal(60, 5, seed=seed), normal(60, 5, seed=seed + 99), names(60), names(60)
        )
        assert interval is not None
        held += interval.low <= 0 <= interval.high
    assert held >= 36


def test_alike_clips_in_groups_make_intervals_wider() -> None:
    real, fake = normal(20, 6).repeat_interleave(5, 0), normal(100, 6, seed=1)
    real = real + 0.1 * normal(100, 6, seed=2)
    groups = [f"patient {number // 5}" for number in range(100)]
    grouped = distance_interval("frechet", real, fake, groups, names(100))
    alone = distance_interval("frechet", real, fake, names(100), names(100))
    assert grouped is not None
    assert alone is not None
    assert grouped.high - grouped.low > 1.3 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("kind", "count", "features", "groups", "reason"),
    [
        ("kernel", 60, 5, 3, "only 3 independent groups"),
        ("frechet", 4, 5, 4, "only 4 independent groups"),
        ("frechet_infinite", 60, 100, 60, "held the truth in"),
        ("frechet_infinite", 600, 30, 600, "held the truth in"),
    ],
)
def test_no_interval_where_none_is_known_to_hold(
    kind: Kind, count: int, features: int, groups: int, reason: str
) -> None:
    given = normal(count, features), normal(60, features, seed=1), names(count, groups), names(60)
    assert distance_interval(kind, *given) is None
    assert reason in why_no_interval(kind, *given)


@pytest.mark.parametrize(("coverage", "is_given"), [(0.95, True), (0.9, True), (0.899, False), (0.5, False)])
def test_an_interval_may_miss_twice_as_often_as_it_says(
    monkeypatch: pytest.MonkeyPatch, coverage: float, is_given: bool
) -> None:
    monkeypatch.setattr(intervals, "simulated_coverage", lambda *_: coverage)
    given = normal(60, 5), normal(60, 5, seed=1), names(60), names(60)
    assert (distance_interval("kernel", *given) is not None) == is_given
    assert ("held the truth in" in why_no_interval("kernel", *given)) != is_given


def test_the_same_clips_on_both_sides_have_no_interval() -> None:
    real = normal(50, 4)
    assert distance_interval("frechet", real, real, names(50), names(50)) is None
    assert "same clips" in why_no_interval("frechet", real, real, names(50), names(50))
    grey = torch.zeros(50, 4)
    assert "as colour is in grey clips" in why_no_interval("frechet", grey, grey, names(50), names(50))


def test_nearly_the_same_clips_do_not_overflow() -> None:
    real = normal(50, 4)
    interval = distance_interval("frechet", real, real + 1e-9 * normal(50, 4, seed=1), names(50), names(50))
    assert interval is None or 0 <= interval.low <= interval.high < 1


def test_mean_is_students_where_each_clip_is_a_group() -> None:
    values = normal(15)
    interval = mean_interval(values, names(15), level=0.9)
    expected = stats.t.interval(0.9, 14, loc=float(values.mean()), scale=float(values.std() / 15**0.5))
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-9)
    assert mean_interval(values, names(15, 2)) is None


def test_coverage_is_that_of_the_nearest_regime_and_unknown_for_other_levels() -> None:
    regime = Regime(110, 90, 100, 110, 90)
    found = simulated_coverage("kernel", regime, 0.95)
    assert found == simulated_coverage("kernel", Regime(100, 100, 100, 100, 100), 0.95)
    assert found is not None
    assert simulated_coverage("kernel", regime, 0.87) is None
    assert simulated_coverage("of nothing", regime, 0.95) is None


def test_the_table_says_how_it_was_made() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert '"command": "python -m evaluation.simulation' in text
    assert '"date"' in text


def test_tails_weigh_as_in_closed_form() -> None:
    """Of a normal law 1; of multivariate t with n degrees of freedom (n - 2) / (n - 4)."""
    clips, alone = normal(4000, 12) * torch.linspace(0.1, 2, 12), torch.arange(4000)
    assert tail_weight(clips, alone) == pytest.approx(1.0, abs=0.05)
    assert tail_weight(7 * clips + 3, alone) == pytest.approx(tail_weight(clips, alone))
    radius = (18 / normal(4000, 20, seed=1).square().sum(dim=1)).sqrt()
    assert tail_weight(clips * radius[:, None], alone) == pytest.approx(18 / 16, abs=0.05)


def test_an_outlying_patient_weighs_and_clips_that_are_all_alike_do_not() -> None:
    clips = normal(60, 5)
    patients = torch.arange(60) % 12
    usual = tail_weight(clips, patients)
    clips[patients == 3] *= 6
    assert tail_weight(clips, patients) > 4 * usual
    assert tail_weight(torch.ones(60, 5), patients) == 1


def test_laws_with_heavier_tails_count_only_for_such_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"coverage": {"0.95": 0.95}}, {"coverage": {"0.95": 0.75}, "tails": 2.0}]
    monkeypatch.setattr(intervals, "_rows", lambda kind: {Regime(60, 60, 5, 60, 60): rows})
    regime = Regime(50, 50, 5, 50, 50)
    assert simulated_coverage("kernel", regime, 0.95) == 0.95
    assert simulated_coverage("kernel", regime, 0.95, tails=2.1) == 0.75
    real, fake = normal(60, 5), normal(60, 5, seed=1)
    assert distance_interval("kernel", real, fake, names(60), names(60)) is not None
    real[0] *= 20
    assert distance_interval("kernel", real, fake, names(60), names(60)) is None
    assert "as far out as here" in why_no_interval("kernel", real, fake, names(60), names(60))


def test_bad_requests_are_refused() -> None:
    real = normal(20, 3)
    with pytest.raises(ValueError, match="known are frechet, frechet_infinite, kernel"):
        distance_interval("wasserstein", real, real, names(20), names(20))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="between 0 and 1"):
        distance_interval("kernel", real, real, names(20), names(20), level=95)
    with pytest.raises(ValueError, match="same D"):
        distance_interval("kernel", real, normal(20, 4), names(20), names(20))
    with pytest.raises(ValueError, match="NaN"):
        distance_interval("kernel", real * torch.nan, real, names(20), names(20))
    with pytest.raises(ValueError, match="group of each of 20 clips"):
        distance_interval("kernel", real, real, names(19), names(20))
    with pytest.raises(ValueError, match="values"):
        mean_interval([], [])
