# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import RFlowScheduler, Scheduler
from torch import nn

from monai_feat.inferers import ClipNoise, ClipSampler, sample_clips
from monai_feat.networks.nets import FEAT
from monai_feat.networks.schedulers import RespacedDDIMScheduler, RespacedDDPMScheduler, RespacedMultistepScheduler

SHAPE = (2, 3, 4, 5)
MAKERS: dict[str, Callable[[], Scheduler]] = {
    "fixed_small": lambda: RespacedDDPMScheduler(variance_type="fixed_small"),
    "fixed_large": lambda: RespacedDDPMScheduler(variance_type="fixed_large"),
    "learned_range": lambda: RespacedDDPMScheduler(variance_type="learned_range"),
    "ddim": RespacedDDIMScheduler,
    "ddim eta 0.5": lambda: RespacedDDIMScheduler(eta=0.5),
    "multistep": RespacedMultistepScheduler,
    "rectified flow": RFlowScheduler,
}
EVERY = pytest.mark.parametrize("name", MAKERS)


class TinyNetwork(nn.Module):
    """Accepts timesteps as MONAI's inferers give them, (B,) or (1,), and a context (B, 1)."""

    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(SHAPE[0], out_channels, 3, padding=1)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        level = timesteps.float().expand(len(x)).reshape(-1, 1, 1, 1, 1) / 1000
        shift = 0 if context is None else context.reshape(-1, 1, 1, 1, 1)
        output: torch.Tensor = self.convolution(x)
        return 0.1 * output + level * x.repeat(1, output.shape[1] // x.shape[1], 1, 1, 1) + shift


def make_network(name: str) -> TinyNetwork:
    return TinyNetwork(SHAPE[0] if name == "rectified flow" else 2 * SHAPE[0]).eval()


@EVERY
def test_unmodified_diffusion_inferer_trains_and_samples(name: str) -> None:
    scheduler, network = MAKERS[name](), make_network(name)
    inferer = DiffusionInferer(scheduler)
    x0, noise = torch.randn(2, 2, *SHAPE)
    output = inferer(inputs=x0, diffusion_model=network, noise=noise, timesteps=torch.tensor([0, 999]))
    (output[:, : SHAPE[0]] - noise).square().mean().backward()
    assert network.convolution.weight.grad is not None
    assert network.convolution.weight.grad.abs().max() > 0
    scheduler.set_timesteps(5)
    sample = inferer.sample(noise, network, scheduler, verbose=False)
    assert sample.shape == noise.shape
    assert sample.isfinite().all()


@EVERY
def test_feat_is_sampled(name: str) -> None:
    network = FEAT(
        in_channels=4,
        out_channels=4 if name == "rectified flow" else 8,
        patch_size=2,
        hidden_size=16,
        num_layers=1,
        num_heads=2,
        mlp_ratio=2,
    )
    clips = sample_clips(network.eval(), MAKERS[name](), [0, 1], (4, 3, 4, 4), 3)
    assert clips.shape == (2, 4, 3, 4, 4)


@EVERY
def test_a_clip_does_not_depend_on_its_batch(name: str) -> None:
    scheduler, network = MAKERS[name](), make_network(name).double()

    def make(indices: list[int], seed: int = 3) -> torch.Tensor:
        return sample_clips(lambda x, **kwargs: network(x.double(), **kwargs), scheduler, indices, SHAPE, 6, seed)

    together = make([5, 0, 7])
    assert together.shape == (3, *SHAPE)
    for place, index in enumerate([5, 0, 7]):
        torch.testing.assert_close(make([index])[0], together[place], rtol=1e-6, atol=1e-6)
    assert not torch.allclose(together[0], together[1])
    assert not torch.allclose(make([5], seed=4)[0], together[0])


@pytest.mark.parametrize("name", ["ddim", "multistep", "rectified flow"])
def test_deterministic_samplers_agree_with_monais_loop(name: str) -> None:
    scheduler, network = MAKERS[name](), make_network(name)
    ours = sample_clips(network, scheduler, [0, 1], SHAPE, 7, seed=1)
    theirs = DiffusionInferer(scheduler).sample(ClipNoise(1, [0, 1], SHAPE).draw(), network, verbose=False)
    torch.testing.assert_close(ours, theirs)


def test_conditioning_and_timesteps_reach_the_network() -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def network(x: torch.Tensor, timesteps: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        seen.append((timesteps, context))
        return x

    context = torch.tensor([[1.0], [2.0]])
    sample_clips(network, RespacedDDIMScheduler(), [0, 1], SHAPE, 3, conditioning=context)
    assert [timesteps.tolist() for timesteps, _ in seen] == [[999.0] * 2, [500.0] * 2, [0.0] * 2]
    assert all(given is context for _, given in seen)


def test_no_gradient_and_a_bar_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (make_network("ddim"), RespacedDDIMScheduler(), [0], SHAPE, 3)
    assert not sample_clips(*arguments).requires_grad
    assert capsys.readouterr().err == ""
    sample_clips(*arguments, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_nan_names_the_step() -> None:
    def network(x: torch.Tensor, timesteps: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        return x if timesteps[0] > 500 else x * torch.nan

    with pytest.raises(FloatingPointError, match=r"step 2 of 3 \(timestep 500\).* 120 NaN or infinite values of 120"):
        sample_clips(network, RespacedDDIMScheduler(), [0], SHAPE, 3)


def test_clip_sampler_in_monais_evaluator() -> None:
    network, scheduler = make_network("learned_range"), RespacedDDPMScheduler(variance_type="learned_range")
    decoded = ClipSampler(scheduler, SHAPE, 4, seed=2, decoder=lambda latents: latents.repeat_interleave(2, dim=-1))
    made: list[torch.Tensor] = []
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader([{"image": index, "label": index} for index in range(3)], batch_size=2),
        network=network,
        inferer=decoded,
        decollate=False,
    )
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: made.append(engine.state.output["pred"]))
    evaluator.run()
    expected = sample_clips(network, scheduler, range(3), SHAPE, 4, seed=2).repeat_interleave(2, dim=-1)
    torch.testing.assert_close(torch.cat(made), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("inputs", [torch.zeros(2), torch.zeros(2, 1, dtype=torch.int64)])
def test_clip_sampler_wants_indices(inputs: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="expected one whole number for each clip"):
        ClipSampler(RespacedDDIMScheduler(), SHAPE, 2)(inputs, make_network("ddim"))


@pytest.mark.parametrize("name", ["ddim", "multistep"])
def test_a_batch_that_does_not_fit_is_halved_and_gives_the_same_clips(name: str) -> None:
    sizes: list[int] = []

    def small_memory(x: torch.Tensor, timesteps: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        sizes.append(len(x))
        if len(x) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 0.1 * x if context is None else 0.1 * x + context

    sampler = ClipSampler(MAKERS[name](), (1, 2, 4, 4), num_inference_steps=4)
    context = torch.arange(5.0).reshape(5, 1, 1, 1, 1)
    with pytest.warns(UserWarning, match="5 clips at once are too many for the memory; going on with 2"):
        found = sampler(torch.arange(5), small_memory, context)
    alone = [sampler(torch.tensor([i]), small_memory, context[i : i + 1]) for i in range(5)]
    torch.testing.assert_close(found, torch.cat(alone))
    assert sizes[:5] == [5, 2, 2, 2, 2]
    with pytest.raises(torch.OutOfMemoryError):
        ClipSampler(RespacedDDIMScheduler(), (1, 2, 4, 4), 2)(torch.tensor([0]), _never_fits)


def _never_fits(*args: torch.Tensor, **kwargs: torch.Tensor) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory")
