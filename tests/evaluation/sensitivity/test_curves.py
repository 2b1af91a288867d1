# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from evaluation.scoring.spaces import FeatureSpace
from evaluation.sensitivity import (
    CorruptedFeatures,
    corrupted_features,
    corruption_curves,
    grows_throughout,
    measure_levels,
    split_halves,
)
from evaluation.sensitivity.corruptions import CORRUPTIONS
from monai_feat.metrics.features import FeatureNetwork
from monai_feat.metrics.functional import kernel_distance
from tests.evaluation.conftest import noise_clip


class Level(FeatureNetwork):
    """Sees brightness and its change alone."""

    name = "level"
    num_features = 2

    def forward(self, pixels: Tensor) -> Tensor:
        values = pixels.float() / 255
        change = values.diff(dim=2).abs().flatten(1).mean(dim=1)
        return torch.stack([values.flatten(1).mean(dim=1), change], dim=1)


SPACE = FeatureSpace(Level(), "brightness")
CLIPS = [noise_clip(seed, frames=8) for seed in range(8)]
GROUPS = [str(number) for number in range(8)]


def test_halves_keep_patients_whole_and_are_used_both_ways() -> None:
    groups = ["a", "a", "b", "c", "c", "c", "d", "e"]
    halves = split_halves(groups, 5, seed=1)
    assert len(halves) == 10
    for (first, second), (back, forth) in zip(halves[::2], halves[1::2], strict=True):
        assert sorted([*first.tolist(), *second.tolist()]) == list(range(8))
        assert torch.equal(first, forth)
        assert torch.equal(second, back)
        assert not {groups[i] for i in first} & {groups[i] for i in second}
    again = split_halves(groups, 5, seed=1)
    assert all(torch.equal(pair[0], other[0]) for pair, other in zip(halves, again, strict=True))
    with pytest.raises(ValueError, match="at least 4 patients to split them in halves, got 3"):
        split_halves(["a", "b", "c"], 1)


def test_features_are_those_of_clips_corrupted_one_by_one() -> None:
    features = corrupted_features(CLIPS[:3], SPACE.network, seed=4)
    torch.testing.assert_close(features.clean, SPACE.network(torch.stack(CLIPS[:3])).double())
    assert set(features.corrupted) == set(CORRUPTIONS) - {"collapse"}
    dark = features.of("freeze", 4, torch.tensor([2]), seed=4)
    assert dark[0, 0] != features.clean[2, 0]
    assert dark[0, 1] < features.clean[2, 1]  # less change from frame to frame
    assert torch.equal(features.of("freeze", 0, torch.tensor([2, 0]), seed=4), features.clean[[2, 0]])


def test_levels_are_distances_of_a_clean_to_a_corrupted_half() -> None:
    features = corrupted_features(CLIPS, SPACE.network)
    halves = split_halves(GROUPS, 2)
    levels = measure_levels(SPACE, features, halves)
    assert {name: found.shape for name, found in levels.items()} == dict.fromkeys(CORRUPTIONS, (5, 4))
    first, second = halves[1]
    expected = kernel_distance(features.clean[first], features.corrupted["flicker"][2][second])
    assert levels["flicker"][3, 1] == pytest.approx(expected.item())
    floors = np.stack([found[0] for found in levels.values()])
    assert (floors == floors[0]).all()


def test_curves_tell_what_grows() -> None:
    curves = {curve.corruption: curve for curve in corruption_curves(CLIPS, [SPACE], GROUPS, splits=2, progress=False)}
    assert list(curves) == list(CORRUPTIONS)
    assert curves["freeze"].monotone
    assert curves["freeze"].metric == "kernel_level"
    assert curves["freeze"].levels == (0.0, 12.5, 25.0, 50.0, 75.0)


def test_growing_means_every_step() -> None:
    assert grows_throughout((-1.0, 0.0, 2.0))
    assert not grows_throughout((0.0, 2.0, 2.0))


def test_collapse_takes_the_features_of_the_clips_it_shows() -> None:
    clean = torch.arange(8.0).double()[:, None]
    shown = CorruptedFeatures(clean, {}).of("collapse", 4, torch.tensor([1, 3, 5, 7]), seed=0)
    assert len(shown) == 4
    assert len(shown.unique()) == 1
