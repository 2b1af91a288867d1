# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Learning rate by step, and an average of weights that survives a resume."""

from __future__ import annotations

import math

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from monai_feat.handlers import ExponentialMovingAverage, TimeBudget, final_decay, share_done, warmup_cosine

MOMENTUM, START, WARMUP = 0.01, 0.2, 40


def test_factor_against_its_formula() -> None:
    factor = warmup_cosine(warmup_steps=4, total_steps=20)
    assert [factor(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    for step in range(4, 21):
        assert factor(step) == pytest.approx(math.cos(math.pi / 2 * (step - 4) / 16) ** 2)
    assert factor(1000) == 0.0


def test_a_resumed_schedule_follows_the_rule_it_is_given() -> None:
    def scheduler(total: int) -> torch.optim.lr_scheduler.LambdaLR:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        return torch.optim.lr_scheduler.LambdaLR(optimizer, warmup_cosine(0, total))

    short, long = scheduler(10), scheduler(20)
    for _ in range(10):
        short.optimizer.step()
        short.step()
    long.load_state_dict(short.state_dict())
    long.optimizer.step()
    long.step()
    assert long.get_last_lr()[0] == pytest.approx(warmup_cosine(0, 20)(11))


def test_rise_longer_than_training_is_an_error() -> None:
    with pytest.raises(ValueError, match="got 10 and 10"):
        warmup_cosine(warmup_steps=10, total_steps=10)


def test_final_decay_against_its_formula() -> None:
    factor = final_decay(share_done(100), warmup_steps=4, share=0.25)
    assert [factor(step) for step in (0, 1, 3, 4, 75)] == [0.25, 0.5, 1.0, 1.0, 1.0]
    for step in range(76, 101):
        assert factor(step) == pytest.approx((100 - step) / 25)
    assert factor(1000) == 0.0
    with pytest.raises(ValueError, match=r"share in \(0, 1\], got 0"):
        final_decay(share_done(100), share=0)


def test_time_that_runs_out_is_the_end() -> None:
    budget = TimeBudget(max_seconds=50)
    done = share_done(100, budget)
    assert (done(0), done(30)) == (0.0, 0.3)
    budget.load_state_dict({"seconds": 40, "reading": 0})
    assert (done(30), done(90)) == (0.8, 0.9)
    budget.load_state_dict({"seconds": 70, "reading": 0})
    assert done(30) == 1.0


def _train(network: nn.Linear, steps: int, done: int = 0, average: nn.Module | None = None) -> nn.Module:
    """Move a weight by one at every step, and average it; go on from ``done`` steps if some are done."""

    def move(_engine: Engine, _batch: int) -> None:
        with torch.no_grad():
            network.weight += 1.0

    engine = Engine(move)
    handler = ExponentialMovingAverage(network, momentum=MOMENTUM, momentum_warmup=START, warmup_iters=WARMUP)
    handler.attach(engine)
    if average is not None:
        handler.ema_model.load_state_dict(average.state_dict())
        state = {"iteration": done, "epoch_length": 10, "max_epochs": (done + steps) // 10}
        engine.add_event_handler(Events.STARTED, lambda started: started.load_state_dict(state))
        engine.run(range(10), max_epochs=(done + steps) // 10, epoch_length=10)
    else:
        engine.run(range(10), max_epochs=steps // 10, epoch_length=10)
    return handler.ema_model


def _by_hand(steps: int) -> float:
    average, value = 0.0, 0.0
    for step in range(steps):
        momentum = max(MOMENTUM, START + (MOMENTUM - START) * step / (WARMUP - 1))
        value += 1.0
        average = (1 - momentum) * average + momentum * value
    return average


def test_average_against_the_recursion() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    assert _train(network, steps=60).weight.item() == pytest.approx(_by_hand(60), rel=1e-5)


def test_resumed_average_is_that_of_an_uninterrupted_training() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    first = _train(network, steps=30)
    resumed = _train(network, steps=30, done=30, average=first)
    assert resumed.weight.item() == pytest.approx(_by_hand(60), rel=1e-5)
