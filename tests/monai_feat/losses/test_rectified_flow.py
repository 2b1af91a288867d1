# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.schedulers import RFlowScheduler

from monai_feat.losses import RectifiedFlowLoss

SHAPE = (3, 4, 2, 3, 3)


def make_target() -> dict[str, torch.Tensor]:
    x0, noise = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return {"x0": x0, "noise": noise, "timesteps": torch.tensor([0.0, 250.5, 999.0])}


def test_its_target_is_the_velocity_that_monais_scheduler_steps_along() -> None:
    """A network without loss leads from any point of the line to the data in one step."""
    target, scheduler = make_target(), RFlowScheduler()
    scheduler.set_timesteps(1)
    velocity = (target["x0"] - target["noise"]).requires_grad_()
    loss = RectifiedFlowLoss()(velocity, target)
    assert loss.item() == 0
    assert torch.autograd.grad(loss, velocity)[0].abs().max() == 0
    noisy = scheduler.add_noise(target["x0"], target["noise"], target["timesteps"])
    for clip, t in enumerate(target["timesteps"].tolist()):
        _, original = scheduler.step(velocity[clip], t, noisy[clip])
        torch.testing.assert_close(original, target["x0"][clip], rtol=1e-5, atol=1e-5)


def test_is_the_mean_squared_error() -> None:
    target = make_target()
    output = torch.randn(SHAPE, dtype=torch.float64)
    expected = torch.nn.functional.mse_loss(output, target["x0"] - target["noise"])
    torch.testing.assert_close(RectifiedFlowLoss()(output, target), expected)


def test_variance_logits_are_ignored_and_get_no_gradient() -> None:
    target = make_target()
    output = torch.randn(3, 8, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    loss = RectifiedFlowLoss()(output, target)
    assert loss.item() == RectifiedFlowLoss()(output[:, :4], target).item()
    velocity, logits = torch.autograd.grad(loss, output)[0].chunk(2, dim=1)
    assert velocity.abs().min() > 0
    assert logits.abs().max() == 0


def test_half_precision_output_is_computed_in_float32() -> None:
    target = {name: value.float() for name, value in make_target().items()}
    rounded = torch.randn(SHAPE).bfloat16()
    assert torch.equal(RectifiedFlowLoss()(rounded, target), RectifiedFlowLoss()(rounded.float(), target))


def test_what_does_not_fit_is_refused() -> None:
    target = make_target()
    with pytest.raises(ValueError, match="5 channels, expected 4"):
        RectifiedFlowLoss()(torch.zeros(3, 5, 2, 3, 3), target)
    with pytest.raises(ValueError, match=r"missing are \['noise'\]"):
        RectifiedFlowLoss()(torch.zeros(SHAPE), {key: target[key] for key in ("x0", "timesteps")})
    with pytest.raises(ValueError, match="shapes do not fit"):
        RectifiedFlowLoss()(torch.zeros(2, 4, 2, 3, 3), target)
