# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.schedulers import RFlowScheduler

from monai_feat.losses import MinSNRFlowLoss, RectifiedFlowLoss

SHAPE = (3, 4, 2, 3, 3)
GAMMA = 5.0


def make_target() -> dict[str, torch.Tensor]:
    x0, noise = torch.randn(2, *SHAPE, dtype=torch.float64)
    return {"x0": x0, "noise": noise, "timesteps": torch.tensor([10.0, 300.0, 900.0])}


def test_is_the_error_of_the_data_weighted_by_the_bounded_signal_to_noise_ratio() -> None:
    """As the paper has it, with the estimate of x_0 that a step of MONAI's scheduler makes."""
    target, output, scheduler = make_target(), torch.randn(SHAPE, dtype=torch.float64), RFlowScheduler()
    scheduler.set_timesteps(1)
    noisy = scheduler.add_noise(target["x0"], target["noise"], target["timesteps"])
    expected = []
    for clip, t in enumerate(target["timesteps"].tolist()):
        _, original = scheduler.step(output[clip], t, noisy[clip])
        snr = ((1000 - t) / t) ** 2
        expected.append(min(snr, GAMMA) * (original - target["x0"][clip]).square().mean())
    found = MinSNRFlowLoss(gamma=GAMMA)(output, target)
    torch.testing.assert_close(found, torch.stack(expected).mean(), rtol=1e-5, atol=1e-7)


def test_a_bound_that_is_never_met_weighs_by_the_signal_alone() -> None:
    target, output = make_target(), torch.randn(SHAPE, dtype=torch.float64)
    one = {name: value[1:2] for name, value in target.items()}
    expected = 0.7**2 * RectifiedFlowLoss()(output[1:2], one)
    torch.testing.assert_close(MinSNRFlowLoss(gamma=1e9)(output[1:2], one), expected)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="expected num_train_timesteps and gamma over 0, got 1000 and 0"):
        MinSNRFlowLoss(gamma=0)
    with pytest.raises(ValueError, match=r"missing are \['noise'\]"):
        MinSNRFlowLoss()(torch.zeros(SHAPE), {key: make_target()[key] for key in ("x0", "timesteps")})
