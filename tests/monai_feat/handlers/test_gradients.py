# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from torch import Tensor, nn

from monai_feat.handlers import GradientGuard, NonFiniteGradientError


def batches(count: int, seed: int = 0, size: int = 2) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"image": (size, 3), "label": (size, 1)}
    return [{key: 9 * torch.randn(shape, generator=generator) for key, shape in shapes.items()} for _ in range(count)]


def trainer_of(
    network: nn.Module, data: Sequence[Any], guard: GradientGuard | None, **options: Any
) -> SupervisedTrainer:
    optimizer = options.pop("optimizer", None) or torch.optim.AdamW(network.parameters(), lr=0.1)
    return SupervisedTrainer(
        device="cpu",
        max_epochs=options.pop("max_epochs", 1),
        train_data_loader=data,  # type: ignore[arg-type]
        network=network,
        optimizer=optimizer,
        loss_function=options.pop("loss_function", nn.MSELoss()),
        train_handlers=[guard] if guard else None,
        decollate=False,
        **options,
    )


@pytest.fixture
def network() -> nn.Module:
    return nn.Linear(3, 1)


@pytest.mark.parametrize("max_norm", [0.1, 1e6])
def test_clipping_is_that_of_torch(network: nn.Module, max_norm: float) -> None:
    twin, data = copy.deepcopy(network), batches(4)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=0.1)
    for batch in data:
        optimizer.zero_grad()
        nn.functional.mse_loss(twin(batch["image"]), batch["label"]).backward()
        nn.utils.clip_grad_norm_(twin.parameters(), max_norm)
        optimizer.step()
    trainer_of(network, data, GradientGuard(network, max_norm)).run()
    torch.testing.assert_close(network.state_dict(), twin.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(("num_batches", "accumulation"), [(4, 2), (4, 4), (3, 2)])
def test_accumulated_batches_are_clipped_as_one(network: nn.Module, num_batches: int, accumulation: int) -> None:
    """With SGD and a norm that binds, clipping too early or twice would change the step.

    The last, shorter group of an epoch counts in MONAI as if its missing batches were zero.
    """
    twin, data = copy.deepcopy(network), batches(num_batches)
    guard = GradientGuard(network, max_norm=0.5)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    trainer = trainer_of(network, data, guard, accumulation_steps=accumulation, optimizer=optimizer, max_epochs=2)
    steps: list[int] = []
    optimizer.register_step_post_hook(lambda *_: steps.append(trainer.state.iteration))
    trainer.run()

    groups = [data[i : i + accumulation] for i in range(0, num_batches, accumulation)] * 2
    reference = torch.optim.SGD(twin.parameters(), lr=0.1)
    for group in groups:
        one = {key: torch.cat([batch[key] for batch in group]) for key in group[0]}
        reference.zero_grad()
        loss = nn.functional.mse_loss(twin(one["image"]), one["label"]) * len(group) / accumulation
        loss.backward()
        assert nn.utils.clip_grad_norm_(twin.parameters(), 0.5) > 0.5
        reference.step()
    torch.testing.assert_close(network.state_dict(), twin.state_dict())
    assert len(steps) == len(groups)


def test_stop_leaves_the_weights_as_they_were(network: nn.Module) -> None:
    data = batches(4)
    data[2]["image"][0, 0] = float("nan")
    twin = copy.deepcopy(network)
    trainer_of(twin, data[:2], GradientGuard(twin)).run()
    with pytest.raises(NonFiniteGradientError, match=r"iteration 3: .*not finite \(NaN or infinity in the data\)"):
        trainer_of(network, data, GradientGuard(network)).run()
    torch.testing.assert_close(network.state_dict(), twin.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("where", ["image", "label"])
def test_skip_leaves_weights_and_optimizer_as_if_the_batch_were_not_there(network: nn.Module, where: str) -> None:
    data = batches(5)
    data[2][where][0, 0] = float("inf")
    twin, guard = copy.deepcopy(network), GradientGuard(network, on_nonfinite="skip")
    optimizers = [torch.optim.AdamW(module.parameters(), lr=0.1) for module in (network, twin)]
    trainer_of(network, data, guard, optimizer=optimizers[0]).run()
    trainer_of(twin, [*data[:2], *data[3:]], GradientGuard(twin), optimizer=optimizers[1]).run()
    assert guard.num_skipped == 1
    torch.testing.assert_close(network.state_dict(), twin.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(optimizers[0].state_dict(), optimizers[1].state_dict(), rtol=0, atol=0)


class FiniteLossBrokenGradient(nn.Module):
    """The square root of zero: 0, and a gradient of 0 · ∞."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction.mean() - prediction.mean().detach()).square().sqrt() + target.mean()


@pytest.mark.parametrize("amp", [False, pytest.param(True, marks=pytest.mark.filterwarnings("ignore"))])
def test_a_broken_gradient_under_a_finite_loss_is_seen(network: nn.Module, amp: bool) -> None:
    """With ``amp`` on a machine without GPU the loss scaler is there but idle: it would not skip the step."""
    if amp and torch.cuda.is_available():
        pytest.skip("tests the idle loss scaler of machines without GPU")
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(NonFiniteGradientError, match=r"iteration 1: loss -?[0-9].*inputs finite"):
        trainer_of(network, batches(1), GradientGuard(network), loss_function=FiniteLossBrokenGradient(), amp=amp).run()
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def scaled_trainer_of(network: nn.Module, data: Sequence[Any], guard: GradientGuard, scale: float) -> SupervisedTrainer:
    """Give a trainer the loss scaler that it would have on a GPU; autocast stays off, so the numbers are exact."""
    trainer = trainer_of(network, data, guard, amp=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    trainer.add_event_handler(Events.STARTED, lambda: setattr(trainer, "scaler", scaler))  # run() makes its own
    return trainer


@pytest.mark.filterwarnings("ignore")
def test_loss_scaling_changes_nothing_about_clipping(network: nn.Module) -> None:
    twin, data = copy.deepcopy(network), batches(4)
    scaled_trainer_of(network, data, GradientGuard(network, 0.1), scale=2.0**10).run()
    trainer_of(twin, data, GradientGuard(twin, 0.1)).run()
    torch.testing.assert_close(network.state_dict(), twin.state_dict())


@pytest.mark.filterwarnings("ignore")
def test_steps_that_the_loss_scaler_skips_are_counted(network: nn.Module) -> None:
    """A scale of 2¹²⁷ overflows float32 until it has been halved often enough; ``stop`` is not for that."""
    guard = GradientGuard(network)
    trainer = scaled_trainer_of(network, batches(30), guard, scale=2.0**127)
    weights = [network.weight.detach().clone()]
    trainer.add_event_handler(IterationEvents.MODEL_COMPLETED, lambda: weights.append(network.weight.detach().clone()))
    trainer.run()
    unchanged = sum(torch.equal(before, after) for before, after in itertools.pairwise(weights))
    assert 0 < guard.num_skipped == unchanged < 30
    assert torch.isfinite(weights[-1]).all()


@pytest.mark.filterwarnings("ignore")
def test_nan_under_loss_scaling_is_skipped_or_stops(network: nn.Module) -> None:
    before, data = copy.deepcopy(network.state_dict()), batches(1)
    data[0]["image"][:] = float("nan")
    guard = GradientGuard(network, on_nonfinite="skip")
    scaled_trainer_of(network, data, guard, scale=2.0).run()
    assert guard.num_skipped == 1
    with pytest.raises(NonFiniteGradientError, match="iteration 1"):
        scaled_trainer_of(network, data, GradientGuard(network), scale=2.0).run()
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_nan_within_an_accumulated_group_does_not_reach_the_weights(network: nn.Module) -> None:
    data = batches(4)
    data[1]["image"][:] = float("nan")
    guard = GradientGuard(network, on_nonfinite="skip")
    trainer_of(network, data, guard, accumulation_steps=4).run()
    assert guard.num_skipped == 1
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())


def test_too_many_in_a_row_stop(network: nn.Module, caplog: pytest.LogCaptureFixture) -> None:
    bad = [{**batch, "label": batch["label"] * float("nan")} for batch in batches(4)]
    guard = GradientGuard(network, on_nonfinite="skip", max_consecutive=2)
    with pytest.raises(NonFiniteGradientError, match="iteration 3"):
        trainer_of(network, bad, guard).run()
    assert guard.num_skipped == 3

    good = batches(1)
    guard = GradientGuard(network, on_nonfinite="skip", max_consecutive=2)
    with caplog.at_level(logging.WARNING, logger="monai_feat"):
        trainer_of(network, [*bad[:2], *good, *bad[:2], *good], guard).run()
    assert guard.num_skipped == 4
    assert "4 steps were skipped" in caplog.text
    assert "iteration 1: loss nan" in caplog.text


def test_runs_after_the_backward_pass(network: nn.Module) -> None:
    seen: list[bool] = []
    trainer = trainer_of(network, batches(1), GradientGuard(network, max_norm=0.01))
    trainer.add_event_handler(
        IterationEvents.BACKWARD_COMPLETED,
        lambda: seen.append(sum(p.grad.square().sum() for p in network.parameters()).sqrt() < 0.0101),
    )
    trainer.run()
    assert seen == [True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_nonfinite": "ignore"}, "'stop' or 'skip', got 'ignore'"),
        ({"max_norm": 0.0}, r"max_norm is 0\.0, expected more than 0"),
    ],
)
def test_refuses_unknown_options(network: nn.Module, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GradientGuard(network, **options)
