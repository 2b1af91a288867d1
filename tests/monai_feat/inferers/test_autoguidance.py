# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from monai_feat.checkpoints import ClipFormat, Diffusion
from monai_feat.conditions import ClassCondition, ScalarCondition
from monai_feat.inferers import AutoguidedDenoiser, GuidedDenoiser, sample_clips
from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.schedulers import RespacedDDIMScheduler

VIEW, DEPTH = ClassCondition("view", 3), ScalarCondition("depth", 0, 9)
CONTEXT = {"view": torch.tensor([0, 2]), "depth": torch.tensor([2.0, 8.0])}


def feat(*conditions: ClassCondition | ScalarCondition, out_channels: int = 4) -> FEAT:
    network = FEAT(out_channels=out_channels, conditions=conditions, **FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def clips() -> tuple[Tensor, Tensor]:
    return torch.randn(2, 4, 3, 4, 6), torch.tensor([3.0, 700.0])


class Gaussian(nn.Module):
    """The exact noise prediction where clips are normal with a variance, and σ = α = √½."""

    def __init__(self, variance: float) -> None:
        super().__init__()
        self.variance = variance

    def forward(self, x: Tensor, timesteps: Tensor, context: None = None) -> Tensor:
        return 0.5**0.5 * x / (0.5 * self.variance + 0.5)


def test_it_is_the_score_of_a_sharpened_density() -> None:
    """The extrapolated score is that of p(strong)ˢ / p(weak)ˢ⁻¹, which for normal densities is normal again."""
    x, scale, narrow, wide = torch.randn(1, 4, 2, 2, 2), 2.5, 0.2, 0.9
    precision = scale / (0.5 * narrow + 0.5) - (scale - 1) / (0.5 * wide + 0.5)
    found = AutoguidedDenoiser(Gaussian(narrow), Gaussian(wide), scale)(x, torch.tensor([1.0]))
    torch.testing.assert_close(found, 0.5**0.5 * precision * x)


def test_scale_one_and_no_weaker_network_are_the_network_itself() -> None:
    network, (x, t) = feat(out_channels=8), clips()
    for guided in (AutoguidedDenoiser(network), AutoguidedDenoiser(network, feat(out_channels=8), scale=1)):
        torch.testing.assert_close(guided(x, t), network(x, t), rtol=0, atol=0)


def test_outside_its_interval_it_is_the_network_and_calls_no_other() -> None:
    network, weaker, (x, t) = feat(), feat(), clips()
    inside = AutoguidedDenoiser(network, weaker, 3.0)(x, t)
    found = AutoguidedDenoiser(network, weaker, 3.0, interval=(700, 900))(x, t)  # of the timesteps 3 and 700
    torch.testing.assert_close(found[0], network(x, t)[0])
    torch.testing.assert_close(found[1], inside[1])
    weaker.forward = None  # type: ignore[assignment]
    for interval in ((4, 699), (701, 900)):
        found = AutoguidedDenoiser(network, weaker, 3.0, interval)(x, t)
        torch.testing.assert_close(found, network(x, t), rtol=0, atol=0)


def test_variance_logits_are_the_networks() -> None:
    network, weaker, (x, t) = feat(out_channels=8), feat(out_channels=8), clips()
    found, strong, weak = AutoguidedDenoiser(network, weaker, 3.0)(x, t), network(x, t), weaker(x, t)
    torch.testing.assert_close(found[:, :4], 3 * strong[:, :4] - 2 * weak[:, :4])
    torch.testing.assert_close(found[:, 4:], strong[:, 4:])


def test_the_weaker_network_is_asked_for_what_it_knows() -> None:
    network, (x, t) = feat(VIEW, DEPTH), clips()
    for weaker, known in ((feat(), None), (feat(VIEW), {"view": CONTEXT["view"]})):
        found = AutoguidedDenoiser(network, weaker, 2.0)(x, t, CONTEXT)
        torch.testing.assert_close(found, 2 * network(x, t, CONTEXT) - weaker(x, t, known))


def test_guidance_by_conditions_goes_around_it() -> None:
    network, weaker, (x, t) = feat(VIEW), feat(), clips()
    context = {"view": CONTEXT["view"]}
    inner = AutoguidedDenoiser(network, weaker, 2.0)
    found = GuidedDenoiser(inner, 3.0)(x, t, context)
    torch.testing.assert_close(found, 3 * inner(x, t, context) - 2 * inner(x, t))


def test_samplers_take_it() -> None:
    options = {"indices": [3], "latent_shape": (4, 3, 4, 6), "num_inference_steps": 2}
    network = feat()
    alone = sample_clips(network, RespacedDDIMScheduler(), **options)
    same = sample_clips(AutoguidedDenoiser(network, network, 5.0), RespacedDDIMScheduler(), **options)
    torch.testing.assert_close(same, alone)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1 or more, got 0\.5"):
        AutoguidedDenoiser(feat(), scale=0.5)
    with pytest.raises(ValueError, match=r"the smaller first, got \[9, 1\]"):
        AutoguidedDenoiser(feat(), interval=[9, 1])
    clip_format = ClipFormat("ultrasound", image_channels=1, num_frames=3, frame_size=(16, 16), frame_rate=None)
    velocity, noise = feat(), feat()
    for network, prediction in ((velocity, "v_prediction"), (noise, "epsilon")):
        network._clips, network._diffusion = clip_format, Diffusion(prediction, "multistep", num_sampling_steps=2)
    with pytest.raises(ValueError, match=r"'v_prediction', 4\), got one that predicts \('epsilon', 4\)"):
        AutoguidedDenoiser(velocity, noise)
