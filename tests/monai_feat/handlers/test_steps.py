# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines import SupervisedTrainer
from torch import nn

from monai_feat.handlers import ExponentialMovingAverage, StepSchedule, num_steps, steps_now


@pytest.mark.parametrize(("num_batches", "accumulation"), [(4, 1), (4, 2), (5, 2), (5, 7)])
def test_steps_are_those_of_the_stock_trainer(num_batches: int, accumulation: int) -> None:
    """The optimiser itself is asked; a short group at the end of an epoch counts as a step."""
    network = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    batches = [{"image": torch.ones(1, 1), "label": torch.ones(1, 1)}] * num_batches
    trainer = SupervisedTrainer(
        "cpu", 3, batches, network, optimizer, nn.MSELoss(), accumulation_steps=accumulation, decollate=False
    )  # type: ignore[arg-type]
    stepped: list[int] = []
    optimizer.register_step_post_hook(lambda *_: stepped.append(trainer.state.iteration))
    found: list[int] = []

    def look(engine: Engine) -> None:
        assert num_steps(engine) == len(stepped)
        if steps_now(engine):
            found.append(engine.state.iteration)

    trainer.add_event_handler(Events.ITERATION_COMPLETED, look)
    trainer.run()
    assert found == stepped


def test_average_and_schedule_count_steps_and_not_batches() -> None:
    """Eight batches in groups of four move them as two batches do."""

    def train(accumulation: int, num_batches: int) -> tuple[float, float]:
        torch.manual_seed(0)
        network = nn.Linear(1, 1, bias=False)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=4)
        average = ExponentialMovingAverage(network, momentum=0.1, momentum_warmup=0.9, warmup_iters=3)
        batches = [{"image": torch.ones(1, 1), "label": torch.ones(1, 1)}] * num_batches
        SupervisedTrainer(
            "cpu", 1, batches, network, optimizer, nn.MSELoss(),
            train_handlers=[average, StepSchedule(schedule)], accumulation_steps=accumulation, decollate=False,
        ).run()  # type: ignore[arg-type]  # fmt: skip
        return average.ema_model.weight.item(), schedule.get_last_lr()[0]

    assert train(4, 8) == pytest.approx(train(1, 2), rel=1e-6)


def test_without_a_known_length_every_group_counts() -> None:
    engine = Engine(lambda *_: None)
    engine.accumulation_steps = 3  # type: ignore[attr-defined]
    engine.state.iteration = 7
    assert num_steps(engine) == 2
    assert not steps_now(engine)
