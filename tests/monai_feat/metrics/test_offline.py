# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import pytest
import torch
from torch import Tensor

from monai_feat.data import PhantomDataset
from monai_feat.metrics import DescriptorVideoDistance, RandomFeatureVideoDistance
from monai_feat.metrics.functional import part_distances


def phantoms(seed: int, count: int = 6) -> Tensor:
    made = PhantomDataset("ultrasound", count, seed=seed, size=32, num_frames=4)
    return torch.stack([made.clip(i).image for i in range(count)])


REAL, FAKE = phantoms(0), phantoms(1)


def filled(metric: RandomFeatureVideoDistance | DescriptorVideoDistance, fake: Tensor = FAKE) -> None:
    metric.update(REAL, real=True)
    for clip in fake.split(1):
        metric.update(clip, real=False)


def test_random_features_are_averaged_over_seeds() -> None:
    metric = RandomFeatureVideoDistance(seeds=(1, 4))
    filled(metric)
    network = metric.network
    parts = part_distances(network(REAL), network(FAKE), network.parts, network.resolution)
    torch.testing.assert_close(metric.compute(), (parts["seed_1"] + parts["seed_4"]) / 2, rtol=1e-4, atol=1e-6)
    alone = RandomFeatureVideoDistance(seeds=(4,))
    filled(alone)
    torch.testing.assert_close(alone.compute(), parts["seed_4"], rtol=1e-4, atol=1e-6)


def test_descriptors_give_their_parts_and_the_mean() -> None:
    metric = DescriptorVideoDistance()
    filled(metric)
    found = metric.compute()
    parts = [value for name, value in found.items() if name != "descriptors"]
    assert len(parts) == 4
    torch.testing.assert_close(found["descriptors"], torch.stack(parts).mean())
    assert found["descriptors_colour"] == 0  # all clips are grey


def test_a_fault_is_seen_in_the_part_that_it_spoils() -> None:
    frozen = DescriptorVideoDistance()
    filled(frozen, REAL[:, :, :1].expand(-1, -1, 4, -1, -1))
    found = frozen.compute()
    assert found["descriptors_temporal"] > 10 * found["descriptors_spectrum"].abs()


def test_they_survive_pickle_and_keep_real_clips_where_asked() -> None:
    metric = RandomFeatureVideoDistance(seeds=(0,), reset_real_features=False)
    filled(metric)
    before = metric.compute()
    again = pickle.loads(pickle.dumps(metric))
    torch.testing.assert_close(again.compute(), before)
    metric.reset()
    metric.update(FAKE, real=False)
    torch.testing.assert_close(metric.compute(), before, rtol=1e-4, atol=1e-6)


def test_a_frechet_distance_of_few_clips_warns() -> None:
    metric = DescriptorVideoDistance(distance="frechet")
    filled(metric)
    with pytest.warns(
        UserWarning, match=r'is not meaningful with 6 real .*DescriptorVideoDistance\(distance="kernel"\)'
    ):
        assert metric.compute()["descriptors"] > 0


def test_an_unknown_distance_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"one of \('kernel', 'frechet'\), got 'cosine'"):
        DescriptorVideoDistance(distance="cosine")  # type: ignore[arg-type]
    empty = RandomFeatureVideoDistance(seeds=(0,))
    empty.update(REAL, real=True)
    with pytest.raises(ValueError, match="fake"):
        empty.compute()
