# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from ignite.engine import Engine, Events

from monai_feat.handlers import TimeBudget


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("monai_feat.handlers.time_budget.time", clock)
    return clock


def run(clock: Clock, max_seconds: float) -> tuple[Engine, list[int]]:
    """Run three epochs of four one-second iterations, and note at which iterations epochs were completed."""

    def step(_engine: Engine, _batch: Any) -> None:
        clock.now += 1

    engine, epochs = Engine(step), list[int]()
    TimeBudget(max_seconds).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: epochs.append(engine.state.iteration))
    engine.run(range(4), max_epochs=3)
    return engine, epochs


@pytest.mark.parametrize(
    ("max_seconds", "epochs"), [(0.5, [1]), (5.5, [4, 6]), (8, [4, 8]), (12, [4, 8, 12]), (99, [4, 8, 12])]
)
def test_the_cut_epoch_is_completed_and_the_last(clock: Clock, max_seconds: float, epochs: list[int]) -> None:
    engine, completed = run(clock, max_seconds)
    assert completed == epochs
    assert engine.state.iteration == epochs[-1]


def test_a_share_of_what_reading_leaves_is_for_this_training(clock: Clock) -> None:
    budget = TimeBudget(10.0, share=0.25)
    clock.now += 2  # of reading
    budget.start(Engine(lambda *_: None))
    clock.now += 1
    assert budget.done == pytest.approx(0.5)  # 1 s of 0.25 * (10 - 2) s
    with pytest.raises(ValueError, match=r"share must be in \(0, 1\], got 0"):
        TimeBudget(10.0, share=0.0)


def test_a_second_run_has_its_own_time(clock: Clock) -> None:
    engine, completed = run(clock, 6)
    assert completed == [4, 6]
    engine.load_state_dict({"iteration": 6, "max_epochs": 3, "epoch_length": 4})
    engine.run(range(4), max_epochs=3)
    assert engine.state.iteration == 12


def test_what_was_spent_is_saved(clock: Clock) -> None:
    engine, budget = Engine(lambda _engine, _batch: None), TimeBudget(10.0)
    budget.attach(engine)
    assert budget.done == 0
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: setattr(clock, "now", clock.now + 1))
    engine.run(range(4))
    assert budget.done == pytest.approx(0.4)
    resumed = TimeBudget(10.0)
    resumed.load_state_dict(budget.state_dict())
    assert resumed.done == pytest.approx(0.4)
    resumed.attach(engine)
    engine.run(range(4), max_epochs=3)
    assert (engine.state.iteration, resumed.done) == (4 + 6, pytest.approx(1.0))


def test_refuses_no_time() -> None:
    with pytest.raises(ValueError, match="positive, got 0"):
        TimeBudget(0)


def test_reading_counts_and_the_rest_is_for_training(clock: Clock) -> None:
    budget = TimeBudget(10.0)
    clock.now += 6
    engine = Engine(lambda _engine, _batch: setattr(clock, "now", clock.now + 1))
    budget.attach(engine)
    shares: list[float] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: shares.append(budget.done))
    engine.run(range(99))
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert budget.state_dict() == {"seconds": 10.0, "reading": 6.0}
    resumed = TimeBudget(20.0)
    resumed.load_state_dict(budget.state_dict())
    clock.now += 2
    assert (resumed.seconds, resumed.done) == (12, pytest.approx(4 / 14))


def test_reading_that_takes_all_of_the_time_ends_with_the_time_that_is_needed(clock: Clock) -> None:
    budget = TimeBudget(15.0)
    for done in range(1, 3):  # half a second each
        clock.now += 0.5
        budget.reading(done, 450)
    clock.now += 0.5
    with pytest.raises(TimeoutError, match=r"450 files takes about 225 s of the 15 s .* least 450 s .*--minutes 7.5"):
        budget.reading(3, 450)
    slow = TimeBudget(400.0)
    for done in range(1, 450):
        clock.now += 0.5
        slow.reading(done, 450)
