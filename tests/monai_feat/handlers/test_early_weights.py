# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ignite.engine import Engine

from monai_feat.checkpoints import find_early_weights, load_checkpoint, read_metadata
from monai_feat.handlers import EarlyWeights, share_done


def train(network: torch.nn.Linear, path: Path, epochs: int = 5) -> None:
    """Run a trainer that adds one to all weights in each of its steps, two an epoch."""

    def step(engine: Engine, batch: int) -> None:
        with torch.no_grad():
            network.weight += 1

    trainer = Engine(step)
    EarlyWeights(network, path, share_done(10), share=0.25, metadata={"clips": "ours"}).attach(trainer)
    trainer.run([0, 1], max_epochs=epochs)


def test_weights_are_those_of_the_step_after_the_share_and_stay(tmp_path: Path) -> None:
    network, path = torch.nn.Linear(2, 1), tmp_path / "feat_early.safetensors"
    torch.nn.init.zeros_(network.weight)
    train(network, path, epochs=1)  # two steps of ten: not yet
    assert find_early_weights(tmp_path / "feat.safetensors") is None
    torch.nn.init.zeros_(network.weight)
    train(network, path)
    assert find_early_weights(tmp_path / "feat.safetensors") == path
    assert load_checkpoint(path)["weight"].eq(4).all()
    assert read_metadata(path)["clips"] == "ours"
    train(network, path)
    assert load_checkpoint(path)["weight"].eq(4).all()


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_a_share_out_of_range_is_refused(share: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        EarlyWeights(torch.nn.Linear(2, 1), tmp_path / "a.safetensors", share_done(10), share)
