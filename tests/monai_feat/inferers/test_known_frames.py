# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from diffusers import EDMEulerScheduler
from torch import Tensor, nn

from monai_feat.conditions import ClassCondition, FirstFramesCondition
from monai_feat.inferers import GuidedDenoiser, KnownFramesDenoiser, WindowedDenoiser, sample_clips, sampling_scheduler
from monai_feat.networks.nets import FEAT, FEAT_PRESETS

CONDITIONS = [ClassCondition("view", 3), FirstFramesCondition(max_frames=2)]
SHAPE = (4, 6, 4, 4)
EVERY_SAMPLER = [
    *((name, kind) for name in ("multistep", "ddim", "ddpm") for kind in ("epsilon", "sample", "v_prediction")),
    ("rectified_flow", "flow_velocity"),
]


def feat() -> FEAT:
    torch.manual_seed(0)
    network = FEAT(out_channels=8, conditions=CONDITIONS, **FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def given() -> dict[str, Tensor]:
    """Two frames for the first clip, one for the second, none for the third."""
    frames = torch.randn(3, 4, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    frames[1, :, 1] = frames[2] = -1
    return {"first_frames": frames, "view": torch.tensor([0, 1, -1])}


def sample(denoiser: nn.Module, sampler: str, kind: str, **more: int) -> Tensor:
    scheduler = sampling_scheduler(sampler, kind)
    return sample_clips(denoiser, scheduler, [0, 1, 2], SHAPE, 4, conditioning=given(), **more)


@pytest.mark.parametrize(("sampler", "kind"), EVERY_SAMPLER)
def test_clips_begin_with_the_frames_that_were_given(sampler: str, kind: str) -> None:
    network, frames = feat(), given()["first_frames"]
    clips = sample(KnownFramesDenoiser(network, sampling_scheduler(sampler, kind)).eval(), sampler, kind)
    torch.testing.assert_close(clips[0, :, :2], frames[0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(clips[1, :, :1], frames[1, :, :1], rtol=1e-3, atol=1e-3)
    alone = sample(network, sampler, kind)
    torch.testing.assert_close(clips[2], alone[2])  # which was given none
    assert (clips[0, :, 2:] - alone[0, :, 2:]).abs().max() > 1e-5  # drawn beside other frames


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_the_exact_prediction_is_the_training_target(kind: str) -> None:
    """The noise of x_t is found again, and what a network is trained to say of it is put in its place."""
    scheduler = sampling_scheduler("ddim", kind)
    original, noise, timesteps = torch.randn(2, 4, 2, 4, 4), torch.randn(2, 4, 2, 4, 4), torch.tensor([40, 900])
    signal, sigma = scheduler.signal_and_sigma(timesteps, noise)
    targets = {"epsilon": noise, "sample": original, "v_prediction": scheduler.get_velocity(original, noise, timesteps)}
    denoiser = KnownFramesDenoiser(GuidedDenoiser(feat(), 2.0), scheduler)
    x = torch.cat([signal * original + sigma * noise, torch.randn(2, 4, 3, 4, 4)], dim=2)
    found = denoiser(x, timesteps, {"first_frames": original})
    torch.testing.assert_close(found[:, :4, :2], targets[kind], rtol=1e-3, atol=1e-3)
    inner = denoiser.network(x, timesteps, {"first_frames": original})
    torch.testing.assert_close(found[:, :, 2:], inner[:, :, 2:], rtol=0, atol=0)
    torch.testing.assert_close(found[:, 4:], inner[:, 4:], rtol=0, atol=0)  # logits of the variance


def test_it_goes_around_windows() -> None:
    scheduler = sampling_scheduler("multistep", "v_prediction")
    denoiser = KnownFramesDenoiser(WindowedDenoiser(feat(), window=3), scheduler)
    clips = sample(denoiser, "multistep", "v_prediction", noise_window=3)
    torch.testing.assert_close(clips[0, :, :2], given()["first_frames"][0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("context", [None, torch.tensor([[1.0]]), {"view": torch.tensor([1])}])
def test_without_first_frames_it_is_the_network(context: Tensor | dict[str, Tensor] | None) -> None:
    class Echo(nn.Module):
        def forward(self, x: Tensor, timesteps: Tensor, context: object) -> Tensor:
            return x

    x = torch.randn(1, *SHAPE)
    found = KnownFramesDenoiser(Echo(), sampling_scheduler("ddim", "epsilon"))(x, torch.tensor([3]), context)
    torch.testing.assert_close(found, x, rtol=0, atol=0)


def test_a_scheduler_that_does_not_say_how_it_mixes_clips_and_noise_is_refused() -> None:
    with pytest.raises(TypeError, match="The scheduler is a EDMEulerScheduler with prediction_type 'epsilon' and no"):
        KnownFramesDenoiser(feat(), EDMEulerScheduler())
