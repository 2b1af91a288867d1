# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator
from monai.handlers import MetricsSaver, from_engine
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError, MetricCollection
from torchmetrics.image.kid import KernelInceptionDistance

from monai_feat.handlers import SampleMetricHandler, TorchMetricHandler
from monai_feat.metrics import FrechetVideoDistance, KernelVideoDistance, PrecisionRecallDensityCoverage
from monai_feat.metrics.functional import frechet_distance_from_features, precision_recall_density_coverage


@pytest.fixture
def clips() -> Tensor:
    return torch.rand(13, 1, 2, 2, 2)


class Brighter(nn.Module):
    def forward(self, clips: Tensor) -> Tensor:
        return clips + 0.25


def evaluate(
    clips: Tensor, folder: Path, key: dict[str, Any], additional: dict[str, Any], network: nn.Module | None = None
) -> dict[str, float]:
    """Run MONAI's evaluator over clips that are also their own labels, and return what MetricsSaver writes."""
    data = Dataset([{"image": MetaTensor(clip), "label": MetaTensor(clip)} for clip in clips])
    SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(data, batch_size=4),
        network=network or Brighter(),
        key_val_metric=key,
        additional_metrics=additional,
        val_handlers=[MetricsSaver(save_dir=str(folder), metrics="*")],
    ).run()
    rows = csv.reader((folder / "metrics.csv").read_text(encoding="utf-8").splitlines())
    return {name: float(value) for name, value in rows}


def test_an_evaluator_reports_them_and_metrics_saver_writes_them(clips: Tensor, tmp_path: Path) -> None:
    pair: Callable[[Any], Any] = from_engine(["pred", "label"])
    written = evaluate(
        clips,
        tmp_path,
        key={"fvd": SampleMetricHandler(FrechetVideoDistance(nn.Flatten(), num_features=8), pair)},
        additional={
            "prdc": SampleMetricHandler(PrecisionRecallDensityCoverage(nn.Flatten(), k=3), pair),
            "error": TorchMetricHandler(MeanAbsoluteError(), pair),
        },
    )
    real = clips.flatten(1)
    scores = precision_recall_density_coverage(real, real + 0.25, k=3)
    wanted = {f"prdc_{name}": value.item() for name, value in scores.items()}
    wanted["fvd"] = frechet_distance_from_features(real, real + 0.25).item()
    wanted["error"] = 0.25
    assert written == pytest.approx(wanted, abs=1e-4)  # MetricsSaver writes four decimals


class Collapsed(nn.Module):
    """A generator that makes one clip, whatever it is given."""

    def forward(self, clips: Tensor) -> Tensor:
        return torch.full_like(clips, 0.5)


def test_validation_goes_on_when_the_generator_collapses(clips: Tensor, tmp_path: Path) -> None:
    pair: Callable[[Any], Any] = from_engine(["pred", "label"])
    written = evaluate(
        clips,
        tmp_path,
        key={"fvd": SampleMetricHandler(FrechetVideoDistance(nn.Flatten(), num_features=8), pair)},
        additional={
            "kvd": SampleMetricHandler(KernelVideoDistance(nn.Flatten()), pair),
            "prdc": SampleMetricHandler(PrecisionRecallDensityCoverage(nn.Flatten(), k=3), pair),
        },
        network=Collapsed(),
    )
    real = clips.flatten(1)
    assert written["fvd"] == pytest.approx(frechet_distance_from_features(real, 0 * real + 0.5).item(), abs=1e-4)
    assert written["prdc_recall"] == 0
    assert all(math.isfinite(value) for value in written.values())


def test_every_epoch_starts_anew(clips: Tensor) -> None:
    engine = Engine(lambda engine, batch: (batch, batch - 1))
    SampleMetricHandler(FrechetVideoDistance(nn.Flatten(), num_features=8)).attach(engine, "fvd")
    seen = []
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: seen.append(engine.state.metrics["fvd"]))
    engine.run(clips.split(5), max_epochs=2)
    assert seen == pytest.approx([8, 8])


def test_a_collection_and_a_tuple_become_numbers(clips: Tensor) -> None:
    collection = MetricCollection(
        [KernelVideoDistance(nn.Flatten()), PrecisionRecallDensityCoverage(nn.Flatten(), k=2)]
    )
    network = nn.Flatten()
    network.num_features = 8  # type: ignore[assignment]
    engine = Engine(lambda engine, batch: (batch, batch))
    SampleMetricHandler(collection).attach(engine, "scores")
    SampleMetricHandler(KernelInceptionDistance(network, subset_size=5, subsets=2)).attach(engine, "kid")
    found = engine.run([clips]).metrics
    names = ["KernelVideoDistance", "coverage", "density", "precision", "recall"]
    assert sorted(found) == ["kid_0", "kid_1", *(f"scores_{name}" for name in names)]
    assert all(isinstance(value, float) for value in found.values())


def test_an_error_of_the_metric_reaches_the_caller(clips: Tensor) -> None:
    engine = Engine(lambda engine, batch: (batch, batch))
    SampleMetricHandler(FrechetVideoDistance(nn.Flatten(), num_features=8)).attach(engine, "fvd")
    with pytest.raises(ValueError, match="needs two clips on each side, got 1 real and 1 fake"):
        engine.run([clips[:1]])
