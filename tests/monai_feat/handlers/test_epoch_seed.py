# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from torch.utils.data import DataLoader, Dataset

from monai_feat.checkpoints import load_checkpoint
from monai_feat.distributed import DistributedBatchSampler
from monai_feat.handlers import EpochSeed, ValidationSeed, clip_seeds


def drawn(max_epochs: int, seed: int = 3, start: int = 0, disturb: bool = False) -> dict[int, list[Any]]:
    """Return by iteration the data, what generators draw while loading and in the iteration, and the clips' seeds."""
    found: dict[int, list[Any]] = {}

    class Noisy(Dataset[dict[str, Any]]):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"index": torch.tensor(index), "random": torch.rand(())}

    def step(engine: Engine, batch: Any) -> None:
        values = (torch.rand(()).item(), np.random.rand(), random.random())  # noqa: NPY002
        found[engine.state.iteration] = [*(batch[key].tolist() for key in sorted(batch)), *values]

    engine = Engine(step)
    EpochSeed(seed).attach(engine)
    if disturb:
        for event in (Events.EPOCH_STARTED, Events.ITERATION_COMPLETED):
            engine.add_event_handler(event, lambda: torch.rand(7))
    loader = DataLoader(Noisy(), batch_sampler=DistributedBatchSampler(range(6), batch_size=2, seed=seed))
    engine.load_state_dict({"iteration": start, "epoch_length": 3, "max_epochs": max_epochs})
    engine.run(loader, max_epochs=max_epochs)
    return found


@pytest.mark.parametrize("start", range(9))
def test_an_iteration_draws_the_same_wherever_the_training_starts(start: int) -> None:
    whole = drawn(3)
    torch.rand(11)
    resumed = drawn(3, start=start, disturb=True)
    assert resumed == {iteration: whole[iteration] for iteration in range(start + 1, 10)}


def test_iterations_epochs_and_seeds_differ() -> None:
    whole, other = drawn(3), drawn(3, seed=4)
    for position in (0, *range(2, len(whole[1]))):  # at 1 are the clips themselves
        values = [str(run[iteration][position]) for run in (whole, other) for iteration in (1, 2, 4)]
        assert len(set(values)) == len(values)
    orders = {str([run[epoch + k][1] for k in range(3)]) for run in (whole, other) for epoch in (1, 4, 7)}
    assert len(orders) == 6


def seeds_of(processes: int, batch_size: int, patch: pytest.MonkeyPatch) -> dict[int, int]:
    """Return the seed of each clip in an epoch, by the clip, when so many processes share its batches."""
    found: dict[int, int] = {}
    for rank in range(processes):
        with patch.context() as context:
            context.setattr(idist, "get_world_size", lambda: processes)
            context.setattr(idist, "get_rank", lambda rank=rank: rank)
            engine = Engine(
                lambda _, batch: found.update(zip(batch["index"].tolist(), batch["clip_seeds"].tolist(), strict=True))
            )
            EpochSeed(1).attach(engine)
            data = [{"index": index} for index in range(8)]
            engine.run(DataLoader(data, batch_sampler=DistributedBatchSampler(data, batch_size)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(("processes", "batch_size"), [(2, 4), (4, 4), (1, 2), (2, 2)])
def test_a_clips_seed_depends_on_neither_processes_nor_batches(
    processes: int, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = seeds_of(1, 4, monkeypatch)
    assert len(set(one.values())) == 8
    assert seeds_of(processes, batch_size, monkeypatch) == one


def test_every_validation_draws_the_same() -> None:
    found: list[Any] = []
    engine = Engine(lambda _, batch: found.append((batch["clip_seeds"].tolist(), torch.rand(()).item())))
    ValidationSeed(0).attach(engine)
    engine.run([{"image": torch.zeros(2)} for _ in range(2)], max_epochs=2)
    assert found[:2] == found[2:]
    assert found[0] != found[1]


def test_without_seeds_a_batch_draws_new_ones() -> None:
    assert clip_seeds({"clip_seeds": torch.tensor([4])}, 1).tolist() == [4]
    assert len({*clip_seeds({}, 3).tolist(), *clip_seeds({}, 3).tolist()}) == 6


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed of 0 or more"):
        EpochSeed(-1)


TRAINING = """
    import os, signal, sys, torch
    from ignite.engine import Events
    from monai.data import DataLoader
    from monai.engines import SupervisedTrainer
    from monai_feat.bundle import find_checkpoint
    from monai_feat.distributed import DistributedBatchSampler
    from monai_feat.handlers import (
        EpochSeed,
        ExponentialMovingAverage,
        SafeCheckpointLoader,
        SafeCheckpointSaver,
        StepSchedule,
    )

    folder, last, killed_at = sys.argv[1], sys.argv[2] == "last", int(sys.argv[3])
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Dropout(0.5), torch.nn.Linear(64, 4))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=200)
    average = ExponentialMovingAverage(network, momentum=0.01, momentum_warmup=0.2, warmup_iters=100)
    parts = {"network": network, "ema": average.ema_model, "optimizer": optimizer, "lr_scheduler": scheduler}
    handlers = [
        average, StepSchedule(scheduler), EpochSeed(0),
        SafeCheckpointSaver(folder + "/checkpoints", parts, epoch_level=False, save_interval=3, n_saved=2),
    ]
    if checkpoint := find_checkpoint("last" if last else None, folder):
        handlers.append(SafeCheckpointLoader(str(checkpoint), parts))
    data = [{"image": x, "label": x} for x in torch.randn(32, 4)]
    trainer = SupervisedTrainer(
        torch.device("cpu"), 8, DataLoader(data, batch_sampler=DistributedBatchSampler(data, 4)), network, optimizer,
        torch.nn.MSELoss(), train_handlers=handlers,
    )
    killed = Events.ITERATION_STARTED(event_filter=lambda _, iteration: iteration == killed_at)
    trainer.add_event_handler(killed, lambda: os.kill(os.getpid(), signal.SIGKILL))
    trainer.run()
"""


def run_training(folder: Path, resume: str, killed_at: int = 0) -> int:
    command = [sys.executable, "-c", textwrap.dedent(TRAINING), str(folder), resume, str(killed_at)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, stderr=subprocess.DEVNULL, env=environment, check=False).returncode


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    assert run_training(tmp_path / "whole", "none") == 0
    assert run_training(tmp_path / "killed", "last", killed_at=20) == -signal.SIGKILL
    assert list((tmp_path / "killed" / "checkpoints").glob("*.pt"))
    assert run_training(tmp_path / "killed", "last") == 0
    name = "checkpoints/checkpoint_iteration=64.pt"
    whole, killed = (load_checkpoint(tmp_path / run / name) for run in ("whole", "killed"))
    assert whole["trainer"]["iteration"] == killed["trainer"]["iteration"] == 64
    assert_same_bits(whole, killed)
    kept = sorted(path.name for path in (tmp_path / "killed" / "checkpoints").iterdir())
    assert kept == ["checkpoint_iteration=63.pt", "checkpoint_iteration=64.pt"]


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
