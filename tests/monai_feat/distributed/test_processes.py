# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What one process can see of several; two are at work in tests/test_processes.py."""

from __future__ import annotations

from typing import Any

import ignite.distributed as idist
import pytest
import torch
import torch.distributed as dist
from ignite.engine import Engine
from monai.engines import SupervisedTrainer
from torch import nn

from monai_feat.distributed import all_reduce_any, join_processes, local_device
from monai_feat.handlers import DiscriminatorUpdate, GradientGuard, NonFiniteGradientError, TimeBudget
from monai_feat.losses import AutoencoderLoss


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Stand for another process, whose values are those in the list, smaller first."""
    values = [0.0]

    def reduce(value: float, op: str) -> float:
        return {"MAX": max}[op](value, values[0])

    monkeypatch.setattr(idist, "get_world_size", lambda: 2)
    monkeypatch.setattr(idist, "all_reduce", reduce)
    return values


def test_the_devices_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert local_device() == torch.device("cuda", 3)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert local_device() == torch.device("cpu")


def test_a_process_by_itself_is_told_how_to_start_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match=r"start it with torchrun --nproc_per_node=N -m monai\.bundle run"):
        join_processes(torch.device("cpu"))


def test_processes_are_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    joined: list[Any] = []
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setattr(dist, "is_initialized", lambda: bool(joined))
    monkeypatch.setattr(dist, "init_process_group", lambda backend, timeout: joined.append((backend, timeout.seconds)))
    for _ in range(2):
        join_processes(torch.device("cpu"), patience=90)
    assert joined == [("gloo", 90)]


def test_anywhere_is_here_or_there(other: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for here in (False, True):
        for other[0] in (0.0, 1.0):
            found[here, other[0]] = all_reduce_any(here)
    assert [key for key, value in found.items() if not value] == [(False, 0.0)]
    monkeypatch.setattr(idist, "get_world_size", lambda: 1)
    assert not all_reduce_any(False)


def test_a_loss_that_breaks_elsewhere_stops_this_process_too(other: list[float]) -> None:
    network, other[0] = nn.Linear(2, 1), 1.0
    batch = {"image": torch.ones(1, 2), "label": torch.ones(1, 1)}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    options: dict[str, Any] = {"train_handlers": [GradientGuard(network)], "decollate": False}
    trainer = SupervisedTrainer("cpu", 1, [batch], network, optimizer, nn.MSELoss(), **options)  # type: ignore[arg-type]
    with pytest.raises(NonFiniteGradientError, match="iteration 1"):
        trainer.run()


def test_time_is_up_for_all_at_once(other: list[float]) -> None:
    engine = Engine(lambda engine, _: other.__setitem__(0, float(engine.state.iteration == 3)))
    TimeBudget(1000).attach(engine)
    engine.run(range(5), max_epochs=9)
    assert engine.state.iteration == 3


@pytest.mark.usefixtures("other")
def test_a_discriminator_is_refused() -> None:
    loss = AutoencoderLoss(discriminator=nn.Conv2d(1, 1, 1))
    update = DiscriminatorUpdate(loss, torch.optim.SGD(nn.Linear(1, 1).parameters()))
    with pytest.raises(RuntimeError, match="trained in one process only"):
        update.attach(Engine(lambda *_: None))
