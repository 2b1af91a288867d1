# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection
from torchmetrics.wrappers import FeatureShare

from monai_feat.metrics import (
    AuthPct,
    FeatureMetric,
    FrechetInceptionDistance,
    FrechetInfiniteDistance,
    FrechetVideoDistance,
    InceptionScore,
    KernelVideoDistance,
    NearestNeighbourRatio,
    PrecisionRecallDensityCoverage,
)
from monai_feat.metrics.features import FeatureNetwork


class TinyNetwork(FeatureNetwork):
    """Three random projections of the pixels, of clips or of frames."""

    name = "tiny"
    num_features = 3

    def __init__(self, takes: Any = "clips", num_frames: int | None = 4) -> None:
        super().__init__()
        self.takes = takes
        self.num_frames = num_frames
        size = 4 * (4 if takes == "clips" else 1)
        self.weight = nn.Parameter(torch.linspace(-1, 1, 3 * size).cos().reshape(size, 3))
        self.calls = 0

    def forward(self, pixels: Tensor) -> Tensor:
        self.calls += 1
        return pixels.float().flatten(1) @ self.weight / 100


MAKERS: dict[str, Callable[[nn.Module | None], FeatureMetric]] = {
    "fvd": lambda network: FrechetVideoDistance(network, num_features=3),
    "fvd by N": lambda network: FrechetVideoDistance(network, correction=0, num_features=3),
    "infinite": lambda network: FrechetInfiniteDistance(network, num_subsets=4),
    "kernel": KernelVideoDistance,
    "prdc": lambda network: PrecisionRecallDensityCoverage(network, k=3),
    "authenticity": AuthPct,
    "ratio": NearestNeighbourRatio,
    "inception": lambda network: InceptionScore(network, splits=2),
}
every_metric = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def clips(num: int, seed: int = 0, num_frames: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num, 1, num_frames, 2, 2), dtype=torch.uint8, generator=generator)


def filled(metric: FeatureMetric) -> FeatureMetric:
    metric.update(clips(14), real=True)
    metric.update(clips(11, seed=1), real=False)
    return metric


def numbers(result: Any) -> list[float]:
    return [float(value) for value in result.values()] if isinstance(result, dict) else [float(result)]


@every_metric
def test_batches_of_any_size_and_ready_features_give_the_same(
    make: Callable[[nn.Module | None], FeatureMetric],
) -> None:
    whole, parts, ready = filled(make(TinyNetwork())), make(TinyNetwork()), make(None)
    for real, seed, num in ((True, 0, 14), (False, 1, 11)):
        for batch in clips(num, seed).split(4):
            parts.update(batch, real)
        ready.update_features(whole.extract(clips(num, seed)), real)
    assert numbers(parts.compute()) == pytest.approx(numbers(whole.compute()), rel=1e-9)
    assert numbers(ready.compute()) == pytest.approx(numbers(whole.compute()), rel=1e-9)


@every_metric
def test_reset_forgets_all(make: Callable[[nn.Module | None], FeatureMetric]) -> None:
    metric = filled(make(TinyNetwork()))
    wanted = numbers(metric.compute())
    metric.update(clips(9, seed=2), real=False)
    assert numbers(metric.compute()) != wanted
    metric.reset()
    assert numbers(filled(metric).compute()) == wanted


@pytest.mark.parametrize("kind", [KernelVideoDistance, FrechetVideoDistance])
def test_reset_may_keep_the_real_side(kind: type[FrechetVideoDistance]) -> None:
    metric = filled(kind(TinyNetwork(), reset_real_features=False))
    wanted = metric.compute()
    metric.reset()
    metric.update(clips(11, seed=1), real=False)
    assert metric.compute() == wanted


@every_metric
def test_it_can_be_pickled_and_cloned(make: Callable[[nn.Module | None], FeatureMetric]) -> None:
    metric = filled(make(TinyNetwork()))
    for copy in (pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert numbers(copy.compute()) == numbers(metric.compute())
        copy.update(clips(9, seed=2), real=False)
        assert numbers(copy.compute()) != numbers(metric.compute())


@every_metric
def test_the_network_is_no_part_of_the_metric(make: Callable[[nn.Module | None], FeatureMetric]) -> None:
    network = TinyNetwork()
    holder = nn.Module()
    holder.metric = make(network)
    assert not list(holder.parameters())
    assert not holder.state_dict()
    assert not holder.train().metric.network.training


def test_the_network_follows_the_metric_to_its_device() -> None:
    metric = KernelVideoDistance(TinyNetwork())
    assert metric.to("meta").network is metric.network
    assert isinstance(metric.network, TinyNetwork)
    assert metric.network.weight.device.type == "meta"


@every_metric
def test_states_are_saved_when_persistent(make: Callable[[nn.Module | None], FeatureMetric]) -> None:
    metric, other = filled(make(TinyNetwork())), make(TinyNetwork())
    metric.persistent(True)
    other.persistent(True)
    saved = metric.state_dict()
    assert all(key.startswith(("real_", "fake_")) for key in saved)
    other.load_state_dict(saved)
    other._update_count = 1  # torchmetrics does not save it, and warns of metrics never updated
    assert numbers(other.compute()) == numbers(metric.compute())


def test_a_collection_runs_the_network_once_for_equal_states() -> None:
    network = TinyNetwork()
    kinds: dict[str, Any] = {
        "kernel": KernelVideoDistance(network),
        "authentic": AuthPct(network),
        "is": InceptionScore(network),
    }
    collection = MetricCollection(kinds)
    alone = KernelVideoDistance(TinyNetwork())
    for metric in (collection, alone):
        for seed in range(3):
            metric.update(clips(8, seed), real=False)
            metric.update(clips(9, seed + 3), real=True)
    assert network.calls == 2 + 1 + 1 + 3 * 2 - 2 + 2  # each for itself once, then two of the three together
    assert set(collection.compute()) == {"kernel", "authentic", "inception_score", "inception_score_deviation"}
    assert collection.compute()["kernel"] == alone.compute()


def test_torchmetrics_can_share_the_network() -> None:
    network = TinyNetwork()
    share = FeatureShare({"kernel": KernelVideoDistance(network), "fvd": FrechetVideoDistance(network)})
    share.update(clips(14), real=True)
    share.update(clips(11, seed=1), real=False)
    assert network.calls == 2
    assert share.compute()["kernel"] == filled(KernelVideoDistance(TinyNetwork())).compute()


@every_metric
def test_it_says_what_it_is_and_can_be_plotted(make: Callable[[nn.Module | None], FeatureMetric]) -> None:
    mpl.use("agg")
    metric = filled(make(TinyNetwork()))
    assert metric.is_differentiable is False
    assert metric.full_state_update is False
    assert metric.higher_is_better in (True, False, None)
    figure, _ = metric.plot()
    plt.close(figure)


def test_frames_are_samples_of_their_own() -> None:
    metric = KernelVideoDistance(TinyNetwork("frames"))
    metric.update(clips(5), real=True)
    metric.update(clips(6)[:, :, 0], real=False)  # (N, C, H, W)
    assert [len(side) for side in metric.samples()] == [20, 6]
    wanted = metric.network(clips(5)[:1, :, 2])  # type: ignore[misc]
    torch.testing.assert_close(metric.samples()[0][2:3], wanted.double())


class Returning(nn.Module):
    """A network that returns what it is told to."""

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.features = features

    def forward(self, pixels: Tensor) -> Tensor:
        return self.features


@pytest.mark.parametrize(
    ("features", "complaint"),
    [
        (torch.zeros(5, 3, 2), r"network Returning: expected features \(N, D\) with N = 5, got shape \(5, 3, 2\)"),
        (torch.zeros(4, 3), r"N = 5, got shape \(4, 3\)"),
        (
            torch.tensor([[0.0], [torch.nan], [0.0], [torch.inf], [0.0]]),
            "features of 2 of 5 inputs are NaN or infinite",
        ),
    ],
)
def test_what_is_no_feature_vector_is_refused(features: Tensor, complaint: str) -> None:
    metric = KernelVideoDistance(Returning(features))
    with pytest.raises(ValueError, match=complaint):
        metric.update(clips(5), real=True)
    if features.ndim == 3 or len(features) == 5:
        with pytest.raises(ValueError, match=complaint.split("network Returning")[-1]):
            metric.update_features(features, real=True)


@pytest.mark.parametrize(
    ("network", "pixels", "complaint"),
    [
        (None, clips(5), "KernelVideoDistance has no feature network"),
        (TinyNetwork(), clips(5)[0], r"expected clips \(B, C, T, H, W\), got shape \(1, 4, 2, 2\)"),
        (TinyNetwork(), clips(5).float(), "network tiny: expected uint8 pixels, got torch.float32"),
        (TinyNetwork(), clips(5, num_frames=3), "network tiny: expected clips of 4 frames, got 3"),
    ],
)
def test_pixels_that_the_network_cannot_take_are_refused(
    network: nn.Module | None, pixels: Tensor, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        KernelVideoDistance(network).update(pixels, real=True)


def test_both_sides_must_have_the_same_features() -> None:
    metric = KernelVideoDistance()
    metric.update_features(torch.zeros(4, 3), real=True)
    with pytest.raises(
        ValueError, match=r"KernelVideoDistance: expected features \(N, D\) with D = 3, got shape \(4, 5\)"
    ):
        metric.update_features(torch.zeros(4, 5), real=False)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@every_metric
def test_nothing_to_compare_is_an_error(make: Callable[[nn.Module | None], FeatureMetric]) -> None:
    metric = make(TinyNetwork())
    with pytest.raises(ValueError, match=r"got 0|each side"):
        metric.compute()


def test_video_and_frame_distances_take_their_own_networks() -> None:
    with pytest.raises(ValueError, match="takes frames, expected one for FrechetVideoDistance that takes clips"):
        FrechetVideoDistance(TinyNetwork("frames"))
    with pytest.raises(ValueError, match="takes clips, expected one for FrechetInceptionDistance that takes frames"):
        FrechetInceptionDistance(TinyNetwork())
