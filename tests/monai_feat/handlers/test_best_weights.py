# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import pytest
from ignite.engine import Engine, Events
from torch import nn

from monai_feat.checkpoints import load_checkpoint, read_metadata
from monai_feat.handlers import BestWeights


def validate(path: Path, metrics: list[float], start: int = 0) -> None:
    """Validate once for each metric; the weight is the number of the epoch."""
    network = nn.Linear(1, 1, bias=False)

    def measure(engine: Engine) -> None:
        nn.init.constant_(network.weight, engine.state.epoch)
        engine.state.metrics["loss"] = metrics[engine.state.epoch - 1]

    engine = Engine(lambda *_: None)
    engine.add_event_handler(Events.EPOCH_COMPLETED, measure)
    BestWeights(network, path, "loss", {"kind": "test"}).attach(engine)
    if start:
        engine.load_state_dict({"epoch": start, "epoch_length": 1, "max_epochs": len(metrics)})
    engine.run([0], max_epochs=len(metrics))


@pytest.mark.parametrize(
    ("metrics", "best"),
    [([3.0, 1.0, 2.0], 2), ([3.0, 2.0, 1.0], 3), ([1.0, 1.0, 1.0], 1), ([math.nan, 2.0, math.nan], 2)],
)
def test_the_smallest_is_kept(tmp_path: Path, metrics: list[float], best: int) -> None:
    path = tmp_path / "best.safetensors"
    validate(path, metrics)
    assert load_checkpoint(path)["weight"].item() == best
    assert read_metadata(path) == {"kind": "test", "loss": repr(metrics[best - 1]), "epoch": str(best)}


def test_a_resumed_training_knows_the_best_of_before(tmp_path: Path) -> None:
    whole, resumed = tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    metrics = [2.0, 1.0, 3.0, 1.5]
    validate(whole, metrics)
    validate(resumed, metrics[:2])
    validate(resumed, metrics, start=1)  # killed after the second, whose checkpoint was not yet written
    assert read_metadata(resumed) == read_metadata(whole)
    assert load_checkpoint(resumed) == load_checkpoint(whole)


def test_a_metric_that_is_not_there_is_named() -> None:
    engine = Engine(lambda *_: None)
    engine.state.metrics["psnr"] = 1.0
    with pytest.raises(KeyError, match=r"is 'loss', expected one that the evaluator measures: \['psnr'\]"):
        BestWeights(nn.Linear(1, 1), "best.safetensors", "loss")(engine)
