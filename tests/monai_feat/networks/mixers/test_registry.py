# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every mixer that has a name, as the contract of `register_mixer` says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from monai_feat.networks.mixers import Axis, Slot, build_mixer, mixer_names, register_mixer, registry
from monai_feat.networks.nets import FEAT, FEAT_PRESETS

EVERY = [(axis, name) for axis in get_args(Axis) for name in mixer_names(axis)]
SLOT_OF = {"space": "space_mixer", "time": "time_mixer", "channels": "channel_mixer"}
C = 8

every_mixer = pytest.mark.parametrize(("axis", "name"), EVERY)


def random_mixer(axis: Axis, name: str) -> nn.Module:
    mixer = build_mixer(name, Slot(axis, C, num_heads=2))
    for parameter in mixer.parameters():
        nn.init.normal_(parameter, std=0.3)
    return mixer


def call(mixer: nn.Module, axis: Axis, x: Tensor) -> Tensor:
    output: Tensor = mixer(x) if axis == "channels" else mixer(x, x.roll(1, dims=-1))
    return output


def tokens(*size: int) -> Tensor:
    return torch.randn(*(size or (2, 3, 2, 5)), C)


@every_mixer
def test_any_size(axis: Axis, name: str) -> None:
    mixer = random_mixer(axis, name)
    for size in ((1, 1, 1, 1), (1, 1, 3, 2), (2, 5, 1, 3), (1, 2, 7, 1)):
        output = call(mixer, axis, tokens(*size))
        assert output.shape == (*size, C)
        assert output.isfinite().all()


@every_mixer
def test_keeps_apart_what_it_does_not_mix(axis: Axis, name: str) -> None:
    mixer, x = random_mixer(axis, name), tokens(2, 4, 4, 5)
    whole = call(mixer, axis, x)
    torch.testing.assert_close(call(mixer, axis, x[1:]), whole[1:], rtol=1e-4, atol=1e-5)
    if axis != "time":
        torch.testing.assert_close(call(mixer, axis, x[:, 2:]), whole[:, 2:], rtol=1e-4, atol=1e-5)
    else:  # all that a position sees of others is next to it
        part = call(mixer, axis, x[..., :3, :])
        torch.testing.assert_close(part[..., :2, :], whole[..., :2, :], rtol=1e-4, atol=1e-5)


@every_mixer
def test_half_precision_is_near(axis: Axis, name: str) -> None:
    mixer, x = random_mixer(axis, name), tokens()
    with torch.autocast("cpu", torch.bfloat16):
        output = call(mixer, axis, x)
    expected = call(mixer, axis, x)
    assert (output.float() - expected).abs().max() <= 0.05 * expected.abs().max()


@every_mixer
def test_the_forward_derivative_is_the_slope(axis: Axis, name: str) -> None:
    mixer, x, direction = random_mixer(axis, name).double(), tokens().double(), tokens().double()
    with sdpa_kernel(SDPBackend.MATH):  # torch's other kernels have no forward derivative
        _, slope = torch.func.jvp(lambda x: call(mixer, axis, x), (x,), (direction,))
    step = 1e-6 * direction
    expected = (call(mixer, axis, x + step) - call(mixer, axis, x - step)) / 2e-6
    torch.testing.assert_close(slope, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.slow  # tracing
@pytest.mark.parametrize("axis", get_args(Axis))
def test_compile_to_one_graph_with_gradients(axis: Axis) -> None:
    """By a backend that needs no compiler; all of an axis at once, which is quicker."""
    mixers, x = [random_mixer(axis, name) for name in mixer_names(axis)], tokens().requires_grad_()

    def every(x: Tensor) -> Tensor:
        return torch.stack([call(mixer, axis, x) for mixer in mixers])

    outputs = [every(x), torch.compile(every, fullgraph=True, backend="eager")(x)]
    torch._dynamo.reset()
    results = [(y, torch.autograd.grad(y.square().sum(), x)[0]) for y in outputs]
    torch.testing.assert_close(results[0], results[1], rtol=1e-4, atol=1e-5)


@every_mixer
def test_weights_remember_it(axis: Axis, name: str, tmp_path: Path) -> None:
    network = FEAT(**FEAT_PRESETS["pico"], **{SLOT_OF[axis]: name}).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    network.save_pretrained(tmp_path)
    again, x = FEAT.from_pretrained(tmp_path), torch.randn(1, 4, 3, 4, 6)
    assert again.arguments()[SLOT_OF[axis]] == name
    assert torch.equal(again(x, 3), network(x, 3))


def test_published_ones_are_the_default() -> None:
    published = dict(space_mixer="wkv", time_mixer="wkv", channel_mixer="transposed")
    torch.manual_seed(0)
    named = FEAT(**FEAT_PRESETS["pico"], **published).state_dict()
    torch.manual_seed(0)
    default = FEAT(**FEAT_PRESETS["pico"])
    assert {key: default.arguments()[key] for key in published} == published
    torch.testing.assert_close(named, default.state_dict(), rtol=0, atol=0)


def test_options_are_remembered(tmp_path: Path) -> None:
    choice = {"name": "lru", "causal": True}
    FEAT(**FEAT_PRESETS["pico"], time_mixer=choice).save_pretrained(tmp_path)
    again = FEAT.from_pretrained(tmp_path)
    assert again.arguments()["time_mixer"] == choice
    assert again.layers[0].temporal.mixing.causal


@pytest.fixture
def own_mixer() -> Iterator[str]:
    """A mixer that is written outside: one class, and one line that registers it."""

    @register_mixer("my_mean", "time")
    class Mean(nn.Module):
        def __init__(self, slot: Slot) -> None:
            super().__init__()
            self.linear = nn.Linear(slot.hidden_size, slot.hidden_size)

        def reset_parameters(self) -> None:
            nn.init.eye_(self.linear.weight)

        def forward(self, x: Tensor, guide: Tensor) -> Tensor:
            y: Tensor = self.linear(x.mean(dim=1, keepdim=True).expand_as(x))
            return y

    yield "my_mean"
    registry._BUILDERS.pop(("time", "my_mean"))


def test_one_of_your_own_takes_its_place(own_mixer: str, tmp_path: Path) -> None:
    network = FEAT(**FEAT_PRESETS["pico"], time_mixer=own_mixer)
    assert torch.equal(network.layers[0].temporal.mixing.linear.weight, torch.eye(32))
    network.save_pretrained(tmp_path)
    assert FEAT.from_pretrained(tmp_path).arguments()["time_mixer"] == own_mixer


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ("flux", r"unknown mixer 'flux' for time; known are conv, lru, none, softmax, spectral, wkv\. Import"),
        ("transposed", "unknown mixer 'transposed' for time"),
        ({}, "unknown mixer None for time"),
        ({"name": "lru", "casual": True}, "mixer 'lru' does not take casual; it takes causal"),
        ({"name": "wkv", "causal": True}, "mixer 'wkv' does not take causal; it takes nothing"),
    ],
)
def test_unknown_ones_are_errors(choice: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        FEAT(**FEAT_PRESETS["pico"], time_mixer=choice)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(
        ValueError, match=r"softmax: monai_feat\.networks\.mixers\.softmax has registered a mixer of that"
    ):
        register_mixer("softmax", "time")(NoSuchMixer)
    with pytest.raises(ValueError, match="expected one or more of space, time, channels as axes"):
        register_mixer("mine", "tine")  # type: ignore[arg-type]


class NoSuchMixer(nn.Module):
    pass
