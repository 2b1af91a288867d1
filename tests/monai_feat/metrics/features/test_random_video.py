# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

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
