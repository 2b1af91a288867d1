# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch
from ignite.engine import Engine
from monai.engines import SupervisedTrainer
from torch import Tensor, nn

from monai_feat.handlers import DiscriminatorUpdate, GradientGuard
from monai_feat.losses import AutoencoderLoss


class Tint(nn.Module):
    """The smallest autoencoder: adds a number."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return x + self.shift, torch.zeros(1), torch.zeros(1)


def discriminator() -> nn.Module:
    torch.manual_seed(3)
    return nn.Conv2d(1, 1, 2)


def train(loss: AutoencoderLoss, optimizer: torch.optim.Optimizer, clips: list[Tensor], rate: float = 0.1) -> Tint:
    network = Tint()
    guard = GradientGuard(network, on_nonfinite="skip")
    SupervisedTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=[{"image": clip} for clip in clips],  # type: ignore[arg-type]
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=rate),
        loss_function=loss,
        prepare_batch=lambda batch, *_: (batch["image"], batch["image"]),
        train_handlers=[guard, DiscriminatorUpdate(loss, optimizer)],
        decollate=False,
    ).run()
    return network


def test_one_step_is_that_of_least_squares_on_real_and_fake() -> None:
    """The reference is written out: (D(r) - 0)² and (D(x) - 1)², halved, after MONAI's leaky ReLU."""
    clips = torch.rand(1, 1, 2, 4, 4)
    loss = AutoencoderLoss(discriminator=discriminator())
    assert loss.discriminator is not None
    train(loss, torch.optim.SGD(loss.discriminator.parameters(), lr=0.1), [clips])

    expected = discriminator()
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1)
    real = clips[0].transpose(0, 1)  # (T, C, H, W)
    scores = [nn.functional.leaky_relu(expected(frames), 0.05) for frames in (real + 0.5, real)]
    (0.5 * scores[0].square().mean() + 0.5 * (scores[1] - 1).square().mean()).backward()
    optimizer.step()
    torch.testing.assert_close(loss.discriminator.state_dict(), expected.state_dict())


def test_it_learns_to_tell_them_apart() -> None:
    loss = AutoencoderLoss(discriminator=discriminator(), adversarial_weight=0.0)
    assert loss.discriminator is not None
    optimizer = torch.optim.Adam(loss.discriminator.parameters(), lr=0.05)
    clips = [torch.rand(4, 1, 1, 4, 4) * 0.1 for _ in range(60)]
    before = loss.discriminator_loss(clips[0] + 0.5, clips[0]).item()
    train(loss, optimizer, clips, rate=0.0)
    assert loss.discriminator_loss(clips[0] + 0.5, clips[0]).item() < 0.6 * before


def test_nan_does_not_reach_the_discriminator() -> None:
    loss = AutoencoderLoss(discriminator=discriminator())
    assert loss.discriminator is not None
    before = copy.deepcopy(loss.discriminator.state_dict())
    train(loss, torch.optim.SGD(loss.discriminator.parameters(), lr=0.1), [torch.full((1, 1, 1, 4, 4), float("nan"))])
    torch.testing.assert_close(loss.discriminator.state_dict(), before, rtol=0, atol=0)


def test_takes_reconstructions_in_half_precision() -> None:
    """As a trainer with mixed precision leaves them."""
    clips = torch.rand(1, 1, 2, 4, 4)
    loss = AutoencoderLoss(discriminator=discriminator())
    assert loss.discriminator is not None
    engine = Engine(lambda engine, batch: None)
    engine.state.output = {"image": clips, "pred": (clips.half(), clips, clips)}
    DiscriminatorUpdate(loss, torch.optim.SGD(loss.discriminator.parameters(), lr=0.1))(engine)
    assert not torch.equal(loss.discriminator.weight, discriminator().weight)


def test_needs_a_discriminator() -> None:
    with pytest.raises(ValueError, match="has no discriminator"):
        DiscriminatorUpdate(AutoencoderLoss(), torch.optim.SGD([torch.zeros(1, requires_grad=True)]))
