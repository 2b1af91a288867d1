# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest
import torch
from ignite.engine import Engine, Events
from tqdm import tqdm

from monai_feat.handlers import SamplingProgress, TimeBudget, TrainingProgress


def engine_of(losses: list[float]) -> Engine:
    engine = Engine(lambda engine, batch: {"loss": torch.tensor(losses[(engine.state.iteration - 1) % len(losses)])})
    TrainingProgress("autoencoder").attach(engine)
    return engine


def test_one_bar_counts_all_steps_and_smooths_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    engine_of([1.0, 2.0, 2.0]).run([0, 0, 0], max_epochs=2)
    text = capsys.readouterr().err
    assert "autoencoder: 100%" in text
    assert "6/6" in text
    smoothed = 1.0
    for loss in (2.0, 2.0, 1.0, 2.0, 2.0):
        smoothed = 0.98 * smoothed + 0.02 * loss
    assert f"loss={smoothed:.4f}" in text


def test_starts_where_a_resumed_training_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """The state is loaded when the engine starts, by a handler that may come after this one."""
    engine = engine_of([1.0])
    state = {"iteration": 4, "max_epochs": 3, "epoch_length": 2}
    engine.add_event_handler(Events.STARTED, lambda: engine.load_state_dict(state))
    engine.run([0, 0], max_epochs=3)
    text = capsys.readouterr().err
    assert "4/6" in text
    assert "0/6" not in text


def test_an_exception_passes_and_closes_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(engine: Engine, batch: int) -> None:
        raise RuntimeError("broken")

    engine, progress = Engine(fail), TrainingProgress()
    progress.attach(engine)
    with pytest.raises(RuntimeError, match="broken"):
        engine.run([0], max_epochs=1)
    assert capsys.readouterr().err.endswith("\n")


def test_an_engine_can_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    engine = engine_of([1.0])
    for _ in range(2):
        engine.run([0, 0], max_epochs=1)
    assert capsys.readouterr().err.count("2/2") >= 2


def test_sampling_counts_clips_and_starts_at_those_that_were_there(capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(lambda engine, batch: {"image": torch.zeros(batch)})
    SamplingProgress(num_clips=12, finished=3).attach(engine)
    engine.run([4, 4, 1], max_epochs=1)
    text = capsys.readouterr().err
    assert "3/12" in text
    assert "12/12" in text


def test_a_sampling_that_fails_closes_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(engine: Engine, batch: int) -> None:
        raise FloatingPointError("not finite")

    engine = Engine(fail)
    SamplingProgress(num_clips=2).attach(engine)
    with pytest.raises(FloatingPointError, match="not finite"):
        engine.run([0], max_epochs=1)
    assert capsys.readouterr().err.endswith("\n")


def test_with_a_time_budget_the_total_is_its_time_and_stays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monai_feat.handlers.progress.tqdm", lambda **options: tqdm(**{**options, "mininterval": 0}))
    engine = Engine(lambda engine, batch: {"loss": torch.tensor(1.0)})
    TrainingProgress("FEAT", TimeBudget(50)).attach(engine)
    engine.run([0, 0, 0], max_epochs=1)
    text = capsys.readouterr().err
    assert set(re.findall(r"of (\S+ s)", text)) == {"50 s"}
    assert "loss=1.0000, step=3" in text
