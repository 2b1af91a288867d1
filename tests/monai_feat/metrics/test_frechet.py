# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings

import pytest
import torch
import torchmetrics.image.fid
from torch import Tensor, nn

from monai_feat.metrics import FrechetInceptionDistance, FrechetInfiniteDistance, FrechetVideoDistance
from monai_feat.metrics.functional import frechet_distance_from_features, frechet_infinite


class Projection(nn.Module):
    """Random features of frames, for torchmetrics and for ours."""

    num_features = 8

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * 4 * 4, 8).double()

    def forward(self, pixels: Tensor) -> Tensor:
        return self.linear(pixels.double().flatten(1)) / 100


def frames(num: int, top: int) -> Tensor:
    return torch.randint(0, top, (num, 3, 4, 4), dtype=torch.uint8)


def test_it_agrees_with_torchmetrics() -> None:
    network, real, fake = Projection(), frames(60, 256), frames(50, 200)
    ours, theirs = FrechetInceptionDistance(network), torchmetrics.image.fid.FrechetInceptionDistance(network)
    for metric in (ours, theirs):
        metric.update(real, real=True)
        metric.update(fake, real=False)
    assert ours.compute().item() == pytest.approx(theirs.compute().item(), rel=1e-9)


@pytest.mark.parametrize("correction", [0, 1])
def test_streamed_moments_are_those_of_the_features(correction: int) -> None:
    real, fake = torch.randn(200, 6) + 50, torch.randn(150, 6) * 2 + 49
    metric = FrechetVideoDistance(num_features=6, correction=correction)  # type: ignore[arg-type]
    for batch in real.split(17):
        metric.update_features(batch, real=True)
    for batch in fake.split(31):
        metric.update_features(batch, real=False)
    wanted = frechet_distance_from_features(real, fake, correction)
    torch.testing.assert_close(metric.compute(), wanted, rtol=1e-10, atol=1e-10)


def test_states_stay_in_float64() -> None:
    metric = FrechetVideoDistance(num_features=3)
    metric.half()
    assert {name: state.dtype for name, state in metric.metric_state.items()} == {
        "real_moments": torch.float64,
        "fake_moments": torch.float64,
    }


def streamed(real: Tensor, fake: Tensor) -> Tensor:
    metric = FrechetVideoDistance(num_features=real.shape[1])
    for side, features in ((True, real), (False, fake)):
        for batch in features.split(13):
            metric.update_features(batch, real=side)
    return metric.compute()


@pytest.mark.parametrize("mean", [0.0, 1e3, -1e6])
def test_a_mean_far_from_zero_costs_no_digits(mean: float) -> None:
    real, fake = mean + torch.randn(90, 5, dtype=torch.float64), mean + 2 * torch.randn(80, 5, dtype=torch.float64)
    wanted = frechet_distance_from_features(real, fake)
    torch.testing.assert_close(streamed(real, fake), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-4])
@pytest.mark.parametrize("mean", [0.1, 3e4, -1e6])
def test_a_generator_that_collapses_has_a_distance(mean: float, spread: float) -> None:
    real = torch.randn(60, 7, dtype=torch.float64)
    fake = mean + spread * torch.randn(50, 7, dtype=torch.float64)
    wanted = frechet_distance_from_features(real, fake)
    torch.testing.assert_close(streamed(real, fake), wanted, rtol=1e-9, atol=1e-9)


def test_metrics_of_parts_merge_into_that_of_the_whole() -> None:
    real, fake = torch.randn(60, 3), torch.randn(60, 3) + 1
    parts = [FrechetVideoDistance(num_features=3) for _ in range(2)]
    for part, rows in zip(parts, (slice(0, 25), slice(25, 60)), strict=True):
        part.update_features(real[rows], real=True)
        part.update_features(fake[rows], real=False)
    parts[0].merge_state(parts[1])
    torch.testing.assert_close(parts[0].compute(), frechet_distance_from_features(real, fake), rtol=1e-10, atol=1e-10)


def test_too_few_clips_are_warned_of_by_name_of_what_to_use() -> None:
    for num, too_few in ((13, False), (12, True)):
        for metric in (FrechetVideoDistance(num_features=10), FrechetInfiniteDistance()):
            clips = num if isinstance(metric, FrechetVideoDistance) else 2 * num
            metric.update_features(torch.randn(clips, 10), real=True)
            metric.update_features(torch.randn(clips + 20, 10), real=False)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                metric.compute()
            assert [str(warning.message).count("KernelVideoDistance") for warning in caught] == [1] * too_few


@pytest.mark.parametrize("make", [lambda: FrechetVideoDistance(num_features=2), FrechetInfiniteDistance])
def test_two_clips_are_needed_on_each_side(make: type[FrechetInfiniteDistance]) -> None:
    metric = make()
    metric.update_features(torch.zeros(5, 2), real=True)
    metric.update_features(torch.zeros(1, 2), real=False)
    with pytest.raises(ValueError, match="needs two clips on each side, got 5 real and 1 fake"):
        metric.compute()


@pytest.mark.parametrize(
    ("network", "num_features", "complaint"),
    [(None, None, "got None"), (nn.Flatten(), None, "got None"), (Projection(), 4, "got 4; the network says 8")],
)
def test_the_number_of_features_must_be_known(
    network: nn.Module | None, num_features: int | None, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        FrechetVideoDistance(network, num_features=num_features)


def test_another_correction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"correction 0 .* or 1 .*, got 2"):
        FrechetVideoDistance(num_features=3, correction=2)  # type: ignore[arg-type]


def test_the_infinite_distance_is_that_of_its_function() -> None:
    real, fake = torch.randn(80, 4), torch.randn(70, 4)
    metric = FrechetInfiniteDistance(num_subsets=5, smallest=0.4, seed=3)
    metric.update_features(real, real=True)
    metric.update_features(fake, real=False)
    assert metric.compute() == frechet_infinite(real, fake, num_subsets=5, smallest=0.4, seed=3)
