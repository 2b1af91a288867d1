# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from torch.utils.data import DataLoader

from monai_feat.checkpoints import load_checkpoint
from monai_feat.engines import EpochSeed


def drawn(max_epochs: int, seed: int = 3, start: int = 0, disturb: bool = False) -> dict[int, list[Any]]:
    """Order of the data, and what each generator draws, by epoch."""
    found: dict[int, list[Any]] = {}

    def step(engine: Engine, batch: Any) -> None:
        values = (batch.tolist(), torch.rand(()).item(), np.random.rand(), random.random())  # noqa: NPY002
        found.setdefault(engine.state.epoch, []).append(values)

    engine = Engine(step)
    EpochSeed(seed).attach(engine)
    if disturb:
        engine.add_event_handler(Events.EPOCH_STARTED, lambda: torch.rand(7))
    engine.state.epoch = start
    loader = DataLoader(list(range(6)), batch_size=2, shuffle=True)
    engine.load_state_dict({"epoch": start, "epoch_length": 3, "max_epochs": max_epochs})
    engine.run(loader, max_epochs=max_epochs)
    return found


def test_an_epoch_draws_the_same_wherever_the_training_starts() -> None:
    whole = drawn(4)
    torch.rand(11)
    resumed = drawn(4, start=2, disturb=True)
    assert resumed == {epoch: whole[epoch] for epoch in (3, 4)}


def test_epochs_and_seeds_differ() -> None:
    whole, other = drawn(3), drawn(3, seed=4)
    assert whole[1] != whole[2] != whole[3]
    assert whole[1] != other[1]


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed of 0 or more"):
        EpochSeed(-1)


TRAINING = """
    import sys, torch
    from monai.data import DataLoader
    from monai.engines import SupervisedTrainer
    from monai.handlers import LrScheduleHandler
    from monai_feat.checkpoints import SafeCheckpointLoader, SafeCheckpointSaver
    from monai_feat.engines import EpochSeed, WeightAverage, find_checkpoint

    folder, last = sys.argv[1], sys.argv[2] == "last"
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Dropout(0.5), torch.nn.Linear(64, 4))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=200)
    average = WeightAverage(network, momentum=0.01, momentum_warmup=0.2, warmup_iters=100)
    parts = {"network": network, "ema": average.ema_model, "optimizer": optimizer, "lr_scheduler": scheduler}
    handlers = [
        average, LrScheduleHandler(scheduler, print_lr=False, epoch_level=False), EpochSeed(0),
        SafeCheckpointSaver(folder + "/checkpoints", parts, save_interval=1, n_saved=2),
    ]
    if checkpoint := find_checkpoint("last" if last else None, folder):
        handlers.append(SafeCheckpointLoader(str(checkpoint), parts))
    data = [{"image": x, "label": x} for x in torch.randn(32, 4)]
    SupervisedTrainer(
        torch.device("cpu"), 60, DataLoader(data, batch_size=4, shuffle=True), network, optimizer,
        torch.nn.MSELoss(), train_handlers=handlers,
    ).run()
"""


def run_training(folder: Path, resume: str, kill_after: float | None = None) -> int:
    command = [sys.executable, "-c", textwrap.dedent(TRAINING), str(folder), resume]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if kill_after is not None:
        while not list(folder.glob("checkpoints/*.pt")) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    return process.wait()


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    assert run_training(tmp_path / "whole", "none") == 0
    assert run_training(tmp_path / "killed", "last", kill_after=0.05) == -signal.SIGKILL
    reached = len(list((tmp_path / "killed" / "checkpoints").glob("*.pt")))
    assert reached
    assert run_training(tmp_path / "killed", "last") == 0
    name = "checkpoints/checkpoint_epoch=60.pt"
    whole, killed = (load_checkpoint(tmp_path / run / name) for run in ("whole", "killed"))
    assert whole["trainer"]["iteration"] == killed["trainer"]["iteration"] == 480
    assert_same_bits(whole, killed)


def assert_same_bits(one: Any, other: Any) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same_bits(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        for left, right in zip(one, other, strict=True):
            assert_same_bits(left, right)
    else:
        assert one == other
