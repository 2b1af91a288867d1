# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Schedulers of MONAI and diffusers drive the sampler, windows, guidance and known frames as their own loops would."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import diffusers
import pytest
import torch
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import DDIMScheduler, DDPMScheduler, RFlowScheduler
from torch import Tensor, nn

from monai_feat.inferers import ClipNoise, GuidedDenoiser, KnownFramesDenoiser, WindowedDenoiser, sample_clips
from monai_feat.inferers.forward_process import forward_process
from monai_feat.networks.schedulers import RespacedDDIMScheduler

SHAPE = (2, 6, 4, 5)
STEPS = 20
BETAS = {"beta_start": 1e-4, "beta_end": 2e-2}
LINEAR = {**BETAS, "beta_schedule": "linear"}
MONAI: dict[str, Callable[[], Any]] = {
    "MONAI's DDIM": lambda: DDIMScheduler(1000, clip_sample=False, steps_offset=1000 // STEPS - 1, **BETAS),
    "MONAI's RFlow": lambda: RFlowScheduler(use_discrete_timesteps=False),
}
DIFFUSERS: dict[str, Callable[[], Any]] = {
    "DPM-Solver++": lambda: diffusers.DPMSolverMultistepScheduler(**LINEAR),
    "DPM-Solver++, v": lambda: diffusers.DPMSolverMultistepScheduler(prediction_type="v_prediction", **LINEAR),
    "Heun": lambda: diffusers.HeunDiscreteScheduler(**LINEAR),
    "Heun, Karras": lambda: diffusers.HeunDiscreteScheduler(use_karras_sigmas=True, **LINEAR),
    "flow-match Euler": lambda: diffusers.FlowMatchEulerDiscreteScheduler(shift=2.0),
}
STOCHASTIC: dict[str, Callable[[], Any]] = {
    "SDE-DPM-Solver++": lambda: diffusers.DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++", **LINEAR),
    "DDPM": lambda: diffusers.DDPMScheduler(clip_sample=False, **LINEAR),
    "flow-match Euler, stochastic": lambda: diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=True),
}
if "randn_like" in inspect.getsource(diffusers.FlowMatchEulerDiscreteScheduler.step):  # before 0.39 or so
    del STOCHASTIC["flow-match Euler, stochastic"]  # its noise is not that of the generator that it is given
EVERY = {**MONAI, **DIFFUSERS, **STOCHASTIC}
every_scheduler = pytest.mark.parametrize("name", EVERY)


class Network(nn.Module):
    """Looks at the frames beside each, at the timestep, and at a context (B, 1)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv3d(SHAPE[0], SHAPE[0], 3, padding=1)

    def forward(self, x: Tensor, timesteps: Tensor, context: Any = None) -> Tensor:
        asked = context.get("view") if isinstance(context, dict) else context
        shift = 0 if asked is None else asked.reshape(-1, 1, 1, 1, 1)
        level = timesteps.float().expand(len(x)).reshape(-1, 1, 1, 1, 1) / 1000
        output: Tensor = 0.3 * self.convolution(x) + level * x + 0.1 * shift
        return output


def sample(network: nn.Module, name: str, indices: list[int], **more: Any) -> Tensor:
    return sample_clips(network.eval(), EVERY[name](), indices, SHAPE, STEPS, seed=3, **more)


def loop_of_diffusers(network: nn.Module, scheduler: Any, noise: Tensor, velocity_sign: int) -> Tensor:
    """Sample as a pipeline of diffusers does."""
    scheduler.set_timesteps(STEPS)
    x = noise * getattr(scheduler, "init_noise_sigma", 1.0)
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        output = network(scaled, torch.full((len(x),), float(t)))
        x = scheduler.step(velocity_sign * output, t, x).prev_sample
    return x


@pytest.mark.parametrize("name", DIFFUSERS)
@torch.no_grad()
def test_it_samples_what_the_loop_of_diffusers_does(name: str) -> None:
    """The velocity of rectified flow points from noise to clips here, as with MONAI, and the other way there."""
    network, noise = Network(), ClipNoise(3, [5, 0], SHAPE).draw()
    expected = loop_of_diffusers(network, EVERY[name](), noise, -1 if "flow" in name else 1)
    torch.testing.assert_close(sample(network, name, [5, 0]), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MONAI)
@torch.no_grad()
def test_it_samples_what_the_loop_of_monai_does(name: str) -> None:
    network, noise, scheduler = Network(), ClipNoise(3, [5, 0], SHAPE).draw(), EVERY[name]()
    scheduler.set_timesteps(STEPS)
    expected = DiffusionInferer(scheduler).sample(noise, network, scheduler, verbose=False)
    torch.testing.assert_close(sample(network, name, [5, 0]), expected, rtol=1e-5, atol=1e-5)


@every_scheduler
def test_a_clip_does_not_depend_on_its_batch(name: str) -> None:
    together = sample(Network(), name, [5, 0, 7])
    torch.testing.assert_close(sample(Network(), name, [7])[0], together[2], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(sample(Network(), name, [5, 0, 7]), together, rtol=0, atol=0)
    assert (together[0] - together[1]).abs().max() > 0.1


@pytest.mark.parametrize("name", ["DPM-Solver++", "SDE-DPM-Solver++", "Heun", "DDPM"])
def test_a_perfect_network_gives_clips_of_the_right_spread(name: str) -> None:
    """For clips of N(0, s²) the best guess of x_0 is s² α / (s² α² + σ²) x_t; sampling then ends at the spread s."""
    process = forward_process(EVERY[name]())

    def perfect(x: Tensor, timesteps: Tensor, context: object) -> Tensor:
        signal, sigma = process.levels(timesteps, x)
        return process.exact_prediction(0.25 * signal / (0.25 * signal**2 + sigma**2) * x, x, timesteps)

    clips = sample_clips(perfect, EVERY[name](), range(4), (1, 8, 16, 16), 100)
    assert clips.std().item() == pytest.approx(0.5, rel=0.07)


@every_scheduler
def test_known_frames_stay(name: str) -> None:
    frames = torch.randn(2, 2, 2, 4, 5, generator=torch.Generator().manual_seed(1))
    context = {"first_frames": frames}
    network = WindowedDenoiser(Network(), window=4)
    clips = sample(KnownFramesDenoiser(network, EVERY[name]()), name, [0, 1], conditioning=context)
    torch.testing.assert_close(clips[:, :, :2], frames, rtol=1e-3, atol=1e-3)
    alone = sample(network, name, [0, 1], conditioning=context)
    assert (clips[:, :, 2:] - alone[:, :, 2:]).abs().max() > 1e-4  # drawn beside other frames


@every_scheduler
def test_guidance_and_windows_go_around_the_network(name: str) -> None:
    """A network that is linear in its context, guided by s, is itself with the context moved s times as far from -1."""
    context, further = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [5.0]])
    network = WindowedDenoiser(Network(), window=4)
    guided = sample(GuidedDenoiser(network, 2.0), name, [0, 1], conditioning=context)
    expected = sample(network, name, [0, 1], conditioning=further)
    torch.testing.assert_close(guided, expected, rtol=1e-4, atol=1e-4)
    whole = sample(Network(), name, [0, 1], conditioning=further)
    assert (whole - expected).abs().max() > 1e-4


def test_logits_of_the_variance_reach_only_a_scheduler_that_learned_it() -> None:
    class WithLogits(nn.Module):
        def forward(self, x: Tensor, timesteps: Tensor, context: Any = None) -> Tensor:
            return torch.cat([0.1 * x, torch.ones_like(x)], dim=1)

    def stepped(**arguments: Any) -> Tensor:
        scheduler = diffusers.DDPMScheduler(clip_sample=False, **arguments)
        return sample_clips(WithLogits(), scheduler, [0], SHAPE, STEPS)

    small, large, learned = (stepped(variance_type=kind) for kind in ("fixed_small", "fixed_large", "learned_range"))
    torch.testing.assert_close(learned, large, rtol=1e-4, atol=1e-4)  # logits of 1 are the larger variance
    assert (learned - small).abs().max() > 1e-3


class OwnScheduler:
    """Goes halfway to the prediction, with noise of the clip's, and gives the sample alone."""

    def set_timesteps(self, num_inference_steps: int) -> None:
        self.timesteps = list(range(num_inference_steps, 0, -1))

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor, noise: Tensor) -> Tensor:
        return (model_output + sample) / 2 + 0.1 * noise


def test_a_scheduler_of_ones_own() -> None:
    source = ClipNoise(0, [4], SHAPE)
    expected = source.draw()
    for _ in range(2):
        expected = expected / 2 + 0.1 * source.draw()
    found = sample_clips(lambda x, **kwargs: torch.zeros_like(x), OwnScheduler(), [4], SHAPE, 2)
    torch.testing.assert_close(found, expected)


class WithoutStep(OwnScheduler):
    step = None  # type: ignore[assignment]


class WithMask(OwnScheduler):
    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor, noise: Tensor, mask: Tensor) -> Tensor:
        return sample


class WithoutTimesteps(OwnScheduler):
    def set_timesteps(self, num_inference_steps: int) -> None:
        self.timesteps = []


class WithWords(OwnScheduler):
    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor) -> Any:
        return "done"


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        (object(), "of type object, without set_timesteps and step, expected"),
        (WithoutStep(), "of type WithoutStep, without step, expected"),
        (WithMask(), r"step\(model_output, timestep, sample, noise, mask\), expected .* wrap it in an object"),
        (diffusers.RePaintScheduler(), "original_image.* wrap it in an object"),
        (WithoutTimesteps(), "without timesteps after set_timesteps"),
        (WithWords(), "returned a str, expected a tensor"),
    ],
)
def test_an_object_that_cannot_is_refused_with_what_it_lacks(scheduler: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        sample_clips(Network(), scheduler, [0], SHAPE, 2)


def test_what_would_sample_wrongly_is_refused_or_warned_of() -> None:
    with pytest.raises(ValueError, match=r"set to 20 of its 1000 steps.*RespacedDDPMScheduler"):
        sample_clips(Network(), DDPMScheduler(1000, clip_sample=False), [0], SHAPE, STEPS)
    with pytest.warns(UserWarning, match="clip_sample=False"):
        sample_clips(Network(), DDIMScheduler(1000, steps_offset=49), [0], SHAPE, STEPS)
    with pytest.warns(UserWarning, match="steps by 50 timesteps, but .* up to 53 apart.*steps_offset=49"):
        sample_clips(Network(), DDIMScheduler(1000, clip_sample=False), [0], SHAPE, STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample(Network(), "MONAI's DDIM", [0])


def test_monais_ddpm_with_all_steps_is_taken() -> None:
    process = forward_process(DDPMScheduler(50, **BETAS))
    clips = sample_clips(
        lambda x, timesteps, context: process.exact_prediction(torch.zeros_like(x), x, timesteps),
        DDPMScheduler(50, clip_sample=False, **BETAS),
        [0, 1],
        SHAPE,
        50,
    )
    assert clips.abs().max() < 0.1


def test_it_agrees_with_our_ddim() -> None:
    """At all 20 of 20 steps, MONAI's DDIM and ours walk the same chain."""
    theirs = sample_clips(Network(), DDIMScheduler(20, clip_sample=False, **BETAS), [1], SHAPE, 20)
    torch.testing.assert_close(theirs, sample_clips(Network(), RespacedDDIMScheduler(20), [1], SHAPE, 20))
