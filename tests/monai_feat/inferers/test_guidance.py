# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.inferers import DiffusionInferer
from torch import Tensor, nn

from monai_feat.conditions import ClassCondition, FirstFramesCondition, ScalarCondition
from monai_feat.inferers import ClipSampler, GuidedDenoiser, sample_clips
from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.schedulers import RespacedDDIMScheduler

CONDITIONS = [ClassCondition("view", 3), ScalarCondition("fraction", 0.2, 0.8)]
VALUES = torch.tensor([[1, 0.3], [2, 0.6]])


def feat(out_channels: int = 4) -> FEAT:
    network = FEAT(out_channels=out_channels, conditions=CONDITIONS, **FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def clips() -> Tensor:
    return torch.randn(2, 4, 3, 4, 6)


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_agrees_with_monais_inferer(scale: float) -> None:
    network, noise = feat(), clips()
    scheduler = RespacedDDIMScheduler()
    scheduler.set_timesteps(3)
    inferer = DiffusionInferer(scheduler)
    expected = inferer.sample(noise, network, conditioning=VALUES, cfg=scale, verbose=False)
    found = inferer.sample(noise, GuidedDenoiser(network, scale), conditioning=VALUES, verbose=False)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("context", [None, VALUES, {"fraction": VALUES[:, 1]}])
def test_scale_one_is_the_network_itself(context: Tensor | dict[str, Tensor] | None) -> None:
    network, x, timesteps = feat(8), clips(), torch.tensor([3.0, 700.0])
    found = GuidedDenoiser(network)(x, timesteps, context)
    torch.testing.assert_close(found, network(x, timesteps, context), rtol=0, atol=0)


def test_asking_for_nothing_leaves_nothing_to_guide() -> None:
    network, x = feat(), clips()
    expected = network(x, torch.tensor([5.0]))
    guided = GuidedDenoiser(network, 4.0)
    torch.testing.assert_close(guided(x, torch.tensor([5.0])), expected, rtol=0, atol=0)
    torch.testing.assert_close(guided(x, torch.tensor([5.0]), torch.full((2, 2), -1.0)), expected)


def test_variance_logits_are_those_with_the_context() -> None:
    network, x, timesteps = feat(8), clips(), torch.tensor([3.0, 700.0])
    asked, without = network(x, timesteps, VALUES), network(x, timesteps)
    found = GuidedDenoiser(network, 2.5)(x, timesteps, VALUES)
    torch.testing.assert_close(found[:, :4], without[:, :4] + 2.5 * (asked[:, :4] - without[:, :4]))
    torch.testing.assert_close(found[:, 4:], asked[:, 4:])


def test_first_frames_are_none_in_the_other_half() -> None:
    network = FEAT(out_channels=4, conditions=[FirstFramesCondition(max_frames=2)], **FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    x, frames, t = clips(), torch.randn(2, 4, 2, 4, 6), torch.tensor([9.0])
    without, asked = network(x, t), network(x, t, {"first_frames": frames})
    found = GuidedDenoiser(network, 2.0)(x, t, {"first_frames": frames})
    torch.testing.assert_close(found, 2 * asked - without)


def test_samplers_take_it_and_a_clip_depends_on_its_own_prompt_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    guided = GuidedDenoiser(feat(8), 2.0)
    context = {"view": VALUES[:, 0], "fraction": VALUES[:, 1]}
    options = {"latent_shape": (4, 3, 4, 6), "num_inference_steps": 2}
    both = sample_clips(guided, RespacedDDIMScheduler(), [4, 7], conditioning=context, **options)
    alone = {name: values[1:] for name, values in context.items()}
    other = sample_clips(guided, RespacedDDIMScheduler(), [7], conditioning=alone, **options)
    torch.testing.assert_close(other[0], both[1], atol=1e-3, rtol=1e-3)

    sampler = ClipSampler(RespacedDDIMScheduler(), **options)
    sample = sampler._sample

    def too_many(inputs: Tensor, *args: object) -> Tensor:
        if len(inputs) > 1:
            raise torch.OutOfMemoryError
        return sample(inputs, *args)

    monkeypatch.setattr(sampler, "_sample", too_many)
    with pytest.warns(UserWarning, match="going on with 1"):
        halved = sampler(torch.tensor([4, 7]), guided, context)
    torch.testing.assert_close(halved, both, atol=1e-3, rtol=1e-3)


def test_negative_scales_are_refused() -> None:
    for scale in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="guidance_scale must be 0 or more, got"):
            GuidedDenoiser(nn.Identity(), scale)
