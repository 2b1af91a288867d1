# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from scipy.spatial import KDTree

from evaluation.scoring.feature_cache import Sample
from evaluation.scoring.repeats import find_repeats, most_repeats, nearest_distances
from evaluation.scoring.spaces import FeatureSpace
from tests.evaluation.features import Named, sample

SPACE = FeatureSpace(Named(6), "names")


def test_nearest_distances_are_those_of_a_search_tree() -> None:
    features = sample(30, 6, 0).features
    expected = KDTree(features.numpy()).query(features.numpy(), k=2)[0][:, 1]
    torch.testing.assert_close(nearest_distances(features), torch.from_numpy(expected))


def test_a_collapsed_generator_is_found_and_a_diverse_one_is_not() -> None:
    real, one = sample(40, 6, 0), sample(1, 6, 1).features
    collapsed = find_repeats(SPACE, real, Sample(one.repeat(40, 1), ["fake"] * 40))
    assert collapsed is not None
    assert (collapsed.repeated, collapsed.num_fake, collapsed.found) == (40, 40, True)
    assert collapsed.are_copies
    diverse = find_repeats(SPACE, real, sample(40, 6, 2))
    assert diverse is not None
    assert not diverse.found


def test_both_sides_are_cut_to_one_number() -> None:
    real, fake = sample(400, 6, 0), sample(25, 6, 1)  # of 400 clips the nearest are nearer
    few, many = find_repeats(SPACE, real, fake), find_repeats(SPACE, fake, real)
    assert few is not None
    assert many is not None
    assert (few.num_fake, many.num_fake) == (25, 25)
    assert not few.found
    assert not many.found


def test_the_unit_of_features_does_not_count() -> None:
    real, fake = sample(30, 6, 0), sample(30, 6, 1)
    scaled = [Sample(1000 * side.features, side.groups) for side in (real, fake)]
    one, other = find_repeats(SPACE, real, fake), find_repeats(SPACE, *scaled)
    assert one is not None
    assert other is not None
    assert one.repeated == other.repeated
    assert other.nearness == pytest.approx(one.nearness)


def test_blurred_clips_lack_variety_but_are_no_copies() -> None:
    blurred = find_repeats(SPACE, sample(40, 6, 0), Sample(0.5 * sample(40, 6, 1).features, ["fake"] * 40))
    assert blurred is not None
    assert blurred.found
    assert not blurred.are_copies


def test_nothing_is_said_of_few_clips() -> None:
    assert find_repeats(SPACE, sample(7, 6, 0), sample(40, 6, 1)) is None
    assert [most_repeats(count) for count in (8, 16, 20, 48)] == [6, 12, 7, 14]
