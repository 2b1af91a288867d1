# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines import SupervisedEvaluator
from monai.handlers import ValidationHandler
from torch import nn

from monai_feat.handlers import ValidationAndLast


def validated_epochs(handler: type[ValidationHandler], interval: int, epochs: int, stop_in: int = 0) -> list[int]:
    """Train for some epochs of two steps, and note after which of them the validator has run."""
    seen: list[int] = []
    evaluator = SupervisedEvaluator(torch.device("cpu"), [], nn.Identity(), epoch_length=1)
    evaluator.run = lambda epoch: seen.append(epoch)  # type: ignore[assignment]
    trainer = Engine(lambda _engine, _batch: None)
    handler(interval, evaluator).attach(trainer)

    @trainer.on(Events.ITERATION_COMPLETED)
    def stop(engine: Any) -> None:
        if engine.state.epoch == stop_in:
            engine.terminate_epoch()

    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda e: e.terminate() if e.state.epoch == stop_in else None)
    trainer.run(range(2), max_epochs=epochs)
    return seen


@pytest.mark.parametrize(("interval", "epochs"), [(1, 3), (2, 4), (2, 5), (5, 3)])
def test_it_adds_the_last_epoch_to_those_of_monai_and_repeats_none(interval: int, epochs: int) -> None:
    expected = sorted({*validated_epochs(ValidationHandler, interval, epochs), epochs})
    assert validated_epochs(ValidationAndLast, interval, epochs) == expected


def test_a_training_that_is_cut_short_is_validated_where_it_ended() -> None:
    assert validated_epochs(ValidationAndLast, interval=2, epochs=9, stop_in=3) == [2, 3]


def test_a_validator_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="Evaluator"):
        ValidationAndLast(1, nn.Identity())  # type: ignore[arg-type]
