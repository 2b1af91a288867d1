# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from monai.data import MetaTensor
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import RFlowScheduler
from safetensors.torch import load_file
from torch import Tensor, nn

from monai_feat.conditions import ClassCondition, FirstFramesCondition, ScalarCondition
from monai_feat.importers import import_feat_checkpoint
from monai_feat.networks.blocks import AdaptiveModulation
from monai_feat.networks.mixers import WeightedKeyValue
from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.schedulers import RespacedDDIMScheduler, RespacedDDPMScheduler


def pico(randomised: bool = True, **changes: Any) -> FEAT:
    """The smallest preset; with every parameter random, since a new network is a linear map of its input."""
    network = FEAT(**{**FEAT_PRESETS["pico"], **changes})
    for parameter in network.parameters() if randomised else ():
        nn.init.normal_(parameter, std=0.2)
    return network.eval()


def clips(B: int = 2, C: int = 4, T: int = 3, H: int = 4, W: int = 6) -> Tensor:
    return torch.randn(B, C, T, H, W)


def relative_error(found: Tensor, expected: Tensor) -> float:
    return ((found.double() - expected.double()).abs().max() / expected.double().abs().max()).item()


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
@pytest.mark.parametrize(("prefix", "num_image_frames"), [("", 0), ("joint.", 3)])
def test_golden_forward(golden: Path, prefix: str, num_image_frames: int, dtype: torch.dtype, bound: float) -> None:
    numbers = load_file(golden / "feat_official_io_float64.safetensors")
    network = import_feat_checkpoint(golden / "feat_official_state_dict.safetensors").to(dtype)
    x = numbers[f"{prefix}x"].transpose(1, 2).to(dtype)
    y = network(x, numbers["t"], num_image_frames=num_image_frames)
    assert relative_error(y.transpose(1, 2), numbers[f"{prefix}y"]) <= bound


@pytest.mark.parametrize(("prefix", "num_image_frames"), [("", 0), ("joint.", 3)])
def test_golden_forward_but_for_the_rounding_of_sinusoids(golden: Path, prefix: str, num_image_frames: int) -> None:
    """The published sinusoids of timesteps are float32, and processors round their exponentials differently.

    So the golden embedding is found first, by a Gauss-Newton step from ours: D numbers for a clip, of which it has
    many times as many. All else agrees in float64.
    """
    numbers = load_file(golden / "feat_official_io_float64.safetensors")
    network = import_feat_checkpoint(golden / "feat_official_state_dict.safetensors").double()
    x, expected = numbers[f"{prefix}x"].transpose(1, 2), numbers[f"{prefix}y"].transpose(1, 2)
    embedding = network.timestep_embedding(numbers["t"])  # (B, D)
    assert expected[0].numel() > 20 * embedding.shape[1]

    def forward(change: Tensor) -> Tensor:
        network.timestep_embedding.forward = lambda timesteps: embedding + change
        return network(x, numbers["t"], num_image_frames=num_image_frames).flatten(1)  # (B, N)

    step = 1e-6 * torch.eye(embedding.shape[1], dtype=torch.float64)
    with torch.no_grad():
        slopes = torch.stack([(forward(d) - forward(-d)) / 2e-6 for d in step], dim=2)  # (B, N, D)
        change = torch.linalg.lstsq(slopes, (expected.flatten(1) - forward(0 * step[0]))[..., None]).solution[..., 0]
        assert change.abs().max() < 1e-5
        assert relative_error(forward(change), expected.flatten(1)) <= 1e-9


@pytest.mark.parametrize(
    ("preset", "millions"), [("S", 158.1), ("L", 629.2), ("tiny", 10.1), ("nano", 0.9), ("pico", 0.1)]
)
def test_number_of_parameters(preset: str, millions: float) -> None:
    with torch.device("meta"):
        network = FEAT(in_channels=4, out_channels=8, **FEAT_PRESETS[preset])
        assert network(torch.randn(2, 4, 3, 8, 12), 3).shape == (2, 8, 3, 8, 12)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 1) == millions


def test_presets_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FEAT_PRESETS["S"] = {}  # type: ignore[index]


def test_timesteps_in_every_form() -> None:
    network, x = pico(), clips()
    expected = network(x, torch.tensor([37, 37]))
    for timesteps in (37, 37.0, torch.tensor(37), torch.tensor([37]), torch.tensor([37.0]), torch.tensor([37.0, 37.0])):
        torch.testing.assert_close(network(x, timesteps), expected, rtol=0, atol=0)


def test_clips_of_a_batch_are_independent_and_have_their_own_timestep() -> None:
    network, x = pico(), clips()
    both = network(x, torch.tensor([5, 900]))
    torch.testing.assert_close(both[:1], network(x[:1], 5))
    torch.testing.assert_close(both[1:], network(x[1:], 900))
    assert relative_error(network(x[:1], 900), both[:1]) > 1e-3


@pytest.mark.parametrize("size", [(1, 2, 2), (1, 4, 6), (2, 6, 2), (17, 2, 4), (3, 10, 12)], ids=str)
def test_any_number_of_frames_of_any_shape(size: tuple[int, int, int]) -> None:
    y = pico()(torch.randn(1, 4, *size), 10)
    assert y.shape == (1, 8, *size)
    assert y.isfinite().all()


def test_image_frames_and_the_clip_are_independent() -> None:
    network, x = pico(), clips(T=6)
    y = network(x, 10, num_image_frames=2)

    other_images = torch.cat((x[:, :, :4], clips(T=2)), dim=2)
    torch.testing.assert_close(network(other_images, 10, num_image_frames=2)[:, :, :4], y[:, :, :4])
    torch.testing.assert_close(network(x[:, :, :4], 10), y[:, :, :4])

    other_clip = torch.cat((clips(T=4), x[:, :, 4:]), dim=2)
    torch.testing.assert_close(network(other_clip, 10, num_image_frames=2)[:, :, 4:], y[:, :, 4:])

    other_image = torch.cat((x[:, :, :5], clips(T=1)), dim=2)
    torch.testing.assert_close(network(other_image, 10, num_image_frames=2)[:, :, 4], y[:, :, 4])

    assert relative_error(network(x, 10)[:, :, :4], y[:, :, :4]) > 1e-3  # as a clip, all frames see each other


@pytest.mark.parametrize("num_image_frames", [0, 2])
def test_a_layer_is_its_three_blocks(num_image_frames: int) -> None:
    layer = pico().layers[0]
    x, guide = torch.randn(2, 2, 5, 2, 3, 32).unbind(0)
    embedding = torch.randn(2, 32)
    x_spatial = layer.spatial(x, embedding, guide)
    last = 5 - num_image_frames
    expected = x_spatial.clone()
    expected[:, :last] = layer.temporal(x_spatial[:, :last], embedding, guide[:, :last])
    expected = layer.channel(expected, embedding)
    torch.testing.assert_close(layer(x, embedding, guide, num_image_frames), expected)


def test_adaptive_norm_is_projected_once_per_clip() -> None:
    network, rows = pico(), []
    for module in network.modules():
        if isinstance(module, AdaptiveModulation):
            module.proj.register_forward_hook(lambda _, given, __: rows.append(given[0].shape))
    network(clips(), torch.tensor([1, 2]))
    assert rows == (3 * 2 + 1) * [(2, 32)]


def decays_per_token(network: FEAT, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Return the decays that the scans are run with, one row of hidden size for each scan."""
    decays = []
    module = importlib.import_module("monai_feat.networks.mixers.weighted_key_value")

    def listen(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> Tensor:
        decays.append(w[:32].detach())
        return v

    with monkeypatch.context() as patch:
        patch.setattr(module, "bi_wkv", listen)
        network(x, 10)
    return decays


def test_reference_tokens_keep_the_decay_per_token(monkeypatch: pytest.MonkeyPatch) -> None:
    published = pico()
    kept = pico(reference_tokens=(6, 3))  # 2 × 3 patches, 3 frames
    kept.load_state_dict(published.state_dict())
    short, long = clips(), clips(T=6, H=8, W=12)
    torch.testing.assert_close(kept(short, 10), published(short, 10), rtol=0, atol=0)

    as_trained = decays_per_token(published, short, monkeypatch)
    torch.testing.assert_close(decays_per_token(kept, long, monkeypatch), as_trained)
    shares = torch.tensor([1 / 4, 1 / 4, 1 / 2] * 2)  # row-major, column-major, temporal, in two layers
    weakened = [share * decay for share, decay in zip(shares, as_trained, strict=True)]
    torch.testing.assert_close(decays_per_token(published, long, monkeypatch), weakened)
    assert relative_error(kept(long, 10), published(long, 10)) > 1e-5


def test_one_reference_length_stands_for_both() -> None:
    one, two, x = pico(reference_tokens=5), pico(reference_tokens=(5, 5)), clips()
    two.load_state_dict(one.state_dict())
    torch.testing.assert_close(one(x, 10), two(x, 10), rtol=0, atol=0)
    assert {m.slot.reference_tokens for m in one.modules() if isinstance(m, WeightedKeyValue)} == {5}


def test_checkpointing_changes_nothing_but_memory() -> None:
    plain, checkpointed = pico(), pico(use_checkpoint=True)
    checkpointed.load_state_dict(plain.state_dict())
    x, kept = clips(), {}
    for network in (plain, checkpointed):
        saved: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, s=saved: (s.append(t.numel()), t)[1], lambda t: t):
            output = network(x, 10, num_image_frames=1)
        output.square().mean().backward()
        kept[network] = output, sum(saved)
    torch.testing.assert_close(kept[checkpointed][0], kept[plain][0], rtol=0, atol=0)
    assert kept[checkpointed][1] < 0.3 * kept[plain][1]
    for ours, theirs in zip(checkpointed.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_new_network_is_a_linear_map_of_its_input() -> None:
    network, x = pico(randomised=False), clips()
    skip = F.conv3d(x, network.skip.weight, network.skip.bias)
    torch.testing.assert_close(network(x, 10), skip, rtol=0, atol=0)
    for layer in network.layers:
        tokens, guide = torch.randn(2, 2, 3, 2, 3, 32).unbind(0)
        for block in (layer.spatial, layer.temporal):
            torch.testing.assert_close(block(tokens, torch.randn(2, 32), guide), tokens, rtol=0, atol=0)


def test_a_new_network_with_filters_is_the_published_one() -> None:
    torch.manual_seed(5)
    plain = FEAT(**FEAT_PRESETS["pico"])
    torch.manual_seed(5)
    filtering = FEAT(**FEAT_PRESETS["pico"], skip_filters=3)
    own = filtering.state_dict()
    torch.testing.assert_close({key: own[key] for key in plain.state_dict()}, plain.state_dict(), rtol=0, atol=0)
    x = clips()
    torch.testing.assert_close(filtering(x, 10), plain(x, 10), rtol=0, atol=0)


def test_filters_add_what_they_make_of_the_input() -> None:
    network, x, timesteps = pico(skip_filters=3), clips(T=5), torch.tensor([3, 700])
    whole = network(x, timesteps, num_image_frames=2)
    part = network.level_skip(x, timesteps, num_image_frames=2)
    network.level_skip = None
    torch.testing.assert_close(network(x, timesteps, num_image_frames=2) + part, whole)


@pytest.mark.parametrize("skip_filters", [0, 3])
def test_gradients_reach_every_parameter(skip_filters: int) -> None:
    network = pico(skip_filters=skip_filters)
    network(clips(), torch.tensor([3, 700])).square().mean().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without


def test_a_new_conditional_network_is_the_unconditional_one() -> None:
    torch.manual_seed(5)
    plain = FEAT(**FEAT_PRESETS["pico"])
    torch.manual_seed(5)
    conditional = FEAT(**FEAT_PRESETS["pico"], conditions=[ClassCondition("view", 3), FirstFramesCondition()])
    own = conditional.state_dict()
    torch.testing.assert_close({key: own[key] for key in plain.state_dict()}, plain.state_dict(), rtol=0, atol=0)

    trained, x = pico(), clips()
    conditional.load_state_dict(trained.state_dict(), strict=False)
    context = {"view": torch.tensor([0, 2]), "first_frames": torch.randn(2, 4, 1, 4, 6)}
    for asked in (None, context):
        torch.testing.assert_close(conditional(x, 10, asked), trained(x, 10), rtol=0, atol=0)


def test_a_trained_conditional_network_heeds_each_condition_clip_by_clip() -> None:
    conditions = [ClassCondition("view", 3), ScalarCondition("fraction", 0, 1), FirstFramesCondition()]
    network, x = pico(conditions=conditions), clips()
    nothing = network(x, 10)
    contexts = {
        "view": torch.tensor([-1, 2]),
        "fraction": torch.tensor([-1, 0.5]),
        "first_frames": torch.stack((torch.full((4, 1, 4, 6), -1.0), torch.randn(4, 1, 4, 6))),
    }
    for name, values in contexts.items():
        asked = network(x, 10, {name: values})
        torch.testing.assert_close(asked[0], nothing[0])
        assert relative_error(asked[1], nothing[1]) > 1e-3
    network(x, 10, contexts).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_unmodified_monai_inferer_trains_and_guides_with_conditions() -> None:
    network = pico(out_channels=4, conditions=[ClassCondition("view", 3)], randomised=False)
    inferer = DiffusionInferer(scheduler := RespacedDDIMScheduler())
    labels = torch.tensor([[0], [2]])
    noise = clips()
    prediction = inferer(inputs=clips(), diffusion_model=network, noise=noise, timesteps=torch.tensor([3, 9]),
                         condition=labels)  # fmt: skip
    assert prediction.shape == noise.shape
    scheduler.set_timesteps(2)
    sample = inferer.sample(noise, network, scheduler, conditioning=labels.float(), cfg=2.0, verbose=False)
    assert sample.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_networks_take_conditions(dtype: torch.dtype) -> None:
    conditions = [ClassCondition("view", 3), ScalarCondition("fraction", 0, 1), FirstFramesCondition()]
    network, x = pico(conditions=conditions), clips()
    context = {"view": torch.tensor([1, 2]), "fraction": torch.tensor([0.2, 0.5]), "first_frames": x[:, :, :1]}
    expected = network(x, 10, context)
    with torch.autocast("cpu", dtype):
        assert relative_error(network(x, 10, context), expected) < 8 * torch.finfo(dtype).eps
    found = network.to(dtype)(x.to(dtype), 10, {**context, "first_frames": x[:, :, :1].to(dtype)})
    assert found.dtype == dtype
    assert relative_error(found, expected) < 16 * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_trains_and_stays_close(dtype: torch.dtype) -> None:
    network, x = pico(), clips()
    expected = network(x, 10)
    with torch.autocast("cpu", dtype):
        output = network(x, 10)
    output.float().square().mean().backward()
    assert relative_error(output, expected) < 8 * torch.finfo(dtype).eps
    assert all(p.grad is not None and p.grad.dtype == p.dtype and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_networks_run(dtype: torch.dtype) -> None:
    network, x = pico(), clips()
    cast = copy.deepcopy(network).to(dtype)
    output = cast(x.to(dtype), 10)
    output.sum().backward()
    assert output.dtype == dtype
    assert relative_error(output, network(x, 10)) < 16 * torch.finfo(dtype).eps


def test_state_dict_round_trip_and_copies() -> None:
    network, x = pico(), clips()
    loaded = pico()
    loaded.load_state_dict(network.state_dict())
    for other in (loaded, copy.deepcopy(network)):
        torch.testing.assert_close(other(x, 10), network(x, 10), rtol=0, atol=0)


def test_meta_tensors_pass() -> None:
    network, x = pico(), clips()
    torch.testing.assert_close(network(MetaTensor(x), 10).as_tensor(), network(x, 10))


@pytest.mark.parametrize(
    ("scheduler", "out_channels"),
    [
        (RespacedDDPMScheduler(variance_type="fixed_small"), 4),
        (RespacedDDPMScheduler(variance_type="learned_range"), 8),
        (RespacedDDIMScheduler(), 4),
        (RespacedDDIMScheduler(), 8),
        (RFlowScheduler(num_train_timesteps=1000), 4),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, torch.nn.Module) else str(value),
)
def test_unmodified_monai_inferer_trains_and_samples(scheduler: nn.Module, out_channels: int) -> None:
    network, inferer = pico(False, out_channels=out_channels, skip_filters=2), DiffusionInferer(scheduler)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    x, noise, timesteps = clips(), clips(), torch.tensor([300, 700])
    target = x - noise if isinstance(scheduler, RFlowScheduler) else noise
    losses = []
    for _ in range(12):
        prediction = inferer(inputs=x, diffusion_model=network, noise=noise, timesteps=timesteps)
        loss = F.mse_loss(prediction[:, :4], target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]

    scheduler.set_timesteps(3)
    sample = inferer.sample(clips(T=5), network, scheduler, verbose=False)
    assert sample.shape == (2, 4, 5, 4, 6)
    assert sample.isfinite().all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(x=torch.zeros(4, 3, 4, 4)), r"expected clips \(B, 4, T, H, W\), .* got \(4, 3, 4, 4\)"),
        (dict(x=torch.zeros(1, 3, 3, 4, 4)), r"expected clips \(B, 4, T, H, W\), .* got \(1, 3, 3, 4, 4\)"),
        (dict(x=torch.zeros(1, 4, 0, 4, 4)), "no size zero"),
        (dict(x=torch.zeros(1, 4, 3, 5, 4)), "multiple of the patch size 2 in height and width, got 5×4"),
        (dict(timesteps=torch.tensor([1, 2, 3])), "one for each of the 2 clips, got 3 of them"),
        (dict(context=torch.zeros(2, 1, 8)), "unconditional: pass context=None"),
        (dict(num_image_frames=3), "must lie in 0 … 2 for clips of 3 frames, got 3"),
        (dict(num_image_frames=-1), "must lie in 0 … 2 for clips of 3 frames, got -1"),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pico()(**{"x": clips(), "timesteps": 3, **given})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(in_channels=0), "'in_channels': 0"),
        (dict(patch_size=0), "'patch_size': 0"),
        (dict(num_layers=0, hidden_size=-8), "'hidden_size': -8, 'num_layers': 0"),
        (dict(mlp_ratio=0.0), "'feed_forward_width': 0"),
        (dict(skip_filters=-1), "skip_filters must be 0, for none, or more, got -1"),
        (dict(num_heads=3), "num_heads must divide hidden_size, got 3 heads for 32 channels"),
        (dict(reference_tokens=(64, 0)), "reference_tokens must be at least 1, got 0"),
        (dict(reference_tokens=(1, 2, 3)), "length 2, got 3"),
    ],
)
def test_impossible_sizes_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pico(**changes)


def test_latents_are_refused_before_there_are_any() -> None:
    network = pico()
    network.check_latents((4, 3, 8, 12))
    with pytest.raises(ValueError, match="multiple of the patch size 2 in height and width, got 17×16"):
        network.check_latents((4, 3, 17, 16))
    with pytest.raises(ValueError, match="takes latents of 4 channels, the autoencoder makes 3; set in_channels to 3"):
        network.check_latents((3, 3, 8, 8))
