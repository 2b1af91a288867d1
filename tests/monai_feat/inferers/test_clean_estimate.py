# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.networks.schedulers import DDIMScheduler, RFlowScheduler
from torch import Tensor

from monai_feat.inferers import CleanEstimate
from monai_feat.networks.schedulers import RespacedDDPMScheduler

RATIOS = (0.1, 0.7, 2.0, 8.0)


def clips() -> tuple[Tensor, Tensor]:
    clean, noise = torch.randn(2, 3, 4, 2, 4, 4)
    return clean, noise


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("with_variance", [False, True])
def test_the_right_velocity_gives_back_the_clean_clip(ratio: float, with_variance: bool) -> None:
    clean, noise = clips()
    seen: dict[str, Any] = {}

    def network(x: Tensor, timesteps: Tensor, context: Any) -> Tensor:
        seen.update(x=x, timesteps=timesteps)
        velocity = clean - noise
        return torch.cat((velocity, torch.randn_like(velocity)), 1) if with_variance else velocity

    scheduler = RFlowScheduler(num_train_timesteps=1000, use_discrete_timesteps=False)
    torch.testing.assert_close(CleanEstimate(network, scheduler)(clean + ratio * noise, ratio), clean)
    expected = scheduler.add_noise(clean, noise, seen["timesteps"])
    torch.testing.assert_close(seen["x"], expected)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("prediction_type", ["epsilon", "sample", "v_prediction"])
def test_the_right_prediction_gives_back_the_clean_clip(ratio: float, prediction_type: str) -> None:
    clean, noise = clips()
    seen: dict[str, Any] = {}
    signal = (1 + ratio**2) ** -0.5
    right = {"epsilon": noise, "sample": clean, "v_prediction": signal * noise - signal * ratio * clean}

    def network(x: Tensor, timesteps: Tensor, context: Any) -> Tensor:
        seen.update(x=x, timesteps=timesteps)
        return right[prediction_type]

    scheduler = RespacedDDPMScheduler(prediction_type=prediction_type)
    found = CleanEstimate(network, scheduler)(clean + ratio * noise, ratio)
    torch.testing.assert_close(found, clean, rtol=1e-4, atol=1e-4)
    nearest = scheduler.add_noise(clean, noise, seen["timesteps"].long())  # the chain's own step is a little off
    torch.testing.assert_close(seen["x"], nearest, rtol=0.02, atol=0.02)


def test_context_is_handed_on() -> None:
    heard = []

    def network(x: Tensor, timesteps: Tensor, context: Any) -> Tensor:
        heard.append(context)
        return x

    context = {"view": torch.tensor([1])}
    CleanEstimate(network, RFlowScheduler(), context)(torch.randn(1, 4, 2, 4, 4), 1.0)
    assert heard == [context]


def test_other_schedulers_are_refused() -> None:
    with pytest.raises(TypeError, match="scheduler is a DDIMScheduler, expected one of"):
        CleanEstimate(lambda x, **_: x, DDIMScheduler())
