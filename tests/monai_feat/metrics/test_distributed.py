# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Two processes that see half of the clips each find what one process finds that sees them all."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, multiprocessing

import monai_feat.metrics
from monai_feat.metrics import (
    AuthPct,
    DescriptorVideoDistance,
    FeatureMetric,
    FrechetInceptionDistance,
    FrechetInfiniteDistance,
    FrechetVideoDistance,
    InceptionScore,
    KernelVideoDistance,
    NearestNeighbourRatio,
    PrecisionRecallDensityCoverage,
    RandomFeatureVideoDistance,
)
from tests.monai_feat.metrics.test_clip_metrics import ALL, filled

REAL, FAKE = (torch.rand(num, 5, generator=torch.Generator().manual_seed(num)) for num in (37, 26))
SHARES = {  # clips of each side that the first process sees; the second sees the rest
    "uneven": (20, 7),
    "one side each": (37, 0),
}


def metrics() -> dict[str, FeatureMetric]:
    return {
        "fvd": FrechetVideoDistance(num_features=5),
        "fid": FrechetInceptionDistance(num_features=5),
        "infinite": FrechetInfiniteDistance(),
        "kernel": KernelVideoDistance(),
        "prdc": PrecisionRecallDensityCoverage(k=3),
        "authentic": AuthPct(),
        "ratio": NearestNeighbourRatio(),
        "inception": InceptionScore(splits=3),
        "random": RandomFeatureVideoDistance(seeds=(0, 1)),
        "descriptors": DescriptorVideoDistance(),
    }


def computed(real: Tensor, fake: Tensor) -> dict[str, Any]:
    """Return what each metric finds after updates in batches of eight, none for an empty side."""
    found = {}
    for name, metric in metrics().items():
        for features, is_real in ((real, True), (fake, False)):
            for batch in features.split(8) if len(features) else ():
                metric.update_features(as_wide(batch, metric), real=is_real)
        found[name] = metric.compute()
    return found


def as_wide(features: Tensor, metric: FeatureMetric) -> Tensor:
    """Repeat columns until there are as many as the metric's network has."""
    width = metric.num_features or features.shape[1]
    return features.repeat(1, -(-width // features.shape[1]))[:, :width]


def worker(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    found = {}
    for name, (num_real, num_fake) in SHARES.items():
        real, fake = (REAL[:num_real], FAKE[:num_fake]) if rank == 0 else (REAL[num_real:], FAKE[num_fake:])
        found[name] = computed(real, fake)
    torch.save(found, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("processes")
    multiprocessing.spawn(worker, args=(folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", metrics())
def test_two_processes_find_what_one_finds(found: list[dict[str, dict[str, Any]]], share: str, name: str) -> None:
    wanted = computed(REAL, FAKE)[name]
    for rank in range(2):
        torch.testing.assert_close(found[rank][share][name], wanted, rtol=1e-12, atol=1e-14)


def test_every_metric_was_tried_here_or_among_those_of_clips_and_has_an_example() -> None:
    public = {getattr(monai_feat.metrics, name) for name in monai_feat.metrics.__all__}
    concrete = {metric for metric in public if not inspect.isabstract(metric)}
    tried = {type(metric) for metric in metrics().values()} | {type(filled(name)) for name in ALL}
    assert concrete - tried == set()
    assert [metric.__name__ for metric in concrete if ">>>" not in (metric.__doc__ or "")] == []
