# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import pytest
import torch
from torch.nn import functional as F

from monai_feat.metrics.features.random_video import RandomVideoFeatures


def clips(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def test_seeds_give_the_same_features_in_any_company() -> None:
    pixels = clips(3, 3, 4, 40, 32)
    both, one = RandomVideoFeatures((5, 2)), RandomVideoFeatures((2,))
    features = both(pixels)
    assert features.shape == (3, both.num_features)
    torch.testing.assert_close(features[:, both.parts["seed_2"]], one(pixels))
    torch.testing.assert_close(torch.cat([both(clip[None]) for clip in pixels]), features, rtol=1e-4, atol=1e-5)
    assert both.identity["seeds"] == "5 2"


def test_features_are_statistics_of_each_layer() -> None:
    """Slow twin: pad, convolve, rectify, and take mean and deviation of values and of changes by definition."""
    network, given = RandomVideoFeatures((3,)), clips(1, 3, 4, 64, 64)
    (layers,) = network.networks
    signal, expected = given.float() / 127.5 - 1, []
    for number, layer in enumerate(layers.layers):  # type: ignore[arg-type]
        stride = (1, 1, 1) if number == 0 else (1, 2, 2)
        padded = F.pad(signal, (1, 1, 1, 1, 1, 1), mode="replicate")
        signal = F.conv3d(padded, layer.weight, layer.bias, stride=stride).clamp(min=0)
        moves = (signal[:, :, 1:] - signal[:, :, :-1]).abs().mean(dim=(3, 4))
        expected += [signal.mean(dim=(2, 3, 4)), signal.std(dim=(2, 3, 4)), moves.mean(2), moves.std(2, correction=0)]
    torch.testing.assert_close(network(given), torch.cat(expected, dim=1))


def test_weights_are_the_same_on_every_machine() -> None:
    (network,) = RandomVideoFeatures((0,)).networks
    weights = torch.cat([parameter.flatten() for parameter in network.parameters()])
    assert hashlib.sha256(weights.numpy().tobytes()).hexdigest().startswith("7f87e33eeafcd094")
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_still_clip_has_no_change() -> None:
    network = RandomVideoFeatures((0,))
    frame = clips(1, 3, 1, 64, 64)
    blocks = network(frame.expand(-1, -1, 5, -1, -1))[0].split([4 * k for k in (8, 12, 12, 16)])
    for block in blocks:
        mean, deviation, change, unevenness = block.chunk(4)
        assert (change.abs().max(), unevenness.abs().max()) == (0, 0)
        assert mean.min() >= 0
        assert deviation.max() > 0
    moving = network(torch.cat([frame, clips(1, 3, 4, 64, 64)], dim=2))
    assert not torch.allclose(moving, network(frame.expand(-1, -1, 5, -1, -1)))


def test_grey_is_rgb_of_equal_channels() -> None:
    network, grey = RandomVideoFeatures((0,)), clips(2, 1, 3, 32, 48)
    torch.testing.assert_close(network(grey), network(grey.repeat(1, 3, 1, 1, 1)))


def test_wrong_seeds_and_clips_are_named() -> None:
    for seeds in ((), (1, 1)):
        with pytest.raises(ValueError, match="at least one seed and none twice"):
            RandomVideoFeatures(seeds)
    network = RandomVideoFeatures((0,))
    with pytest.raises(TypeError, match="uint8"):
        network(torch.zeros(1, 3, 4, 32, 32))
    for shape in ((1, 3, 1, 32, 32), (1, 3, 4, 31, 32), (1, 2, 4, 32, 32)):
        with pytest.raises(ValueError, match="expected"):
            network(clips(*shape))
