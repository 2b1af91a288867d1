# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evaluation.results import Score
from evaluation.scoring.baseline import Baseline
from evaluation.scoring.feature_cache import Sample
from evaluation.scoring.space_scorer import SpaceScorer, score_property
from evaluation.scoring.spaces import FeatureSpace
from monai_feat.metrics.functional import (
    expected_coverage,
    feature_moments,
    frechet_distance_from_features,
    frechet_floor,
    kernel_distance,
)
from monai_feat.metrics.functional.properties import Property, property_distance
from tests.evaluation.features import Named, sample


def scores_of(space: FeatureSpace, real: Sample, fake: Sample, *more: Sample) -> dict[str, Score]:
    scorer = SpaceScorer(space, fake, Baseline([real, *more], len(fake)))
    found = [*scorer.fidelity(real, "train"), *scorer.copying(real)]
    return {score.metric.removesuffix("_named"): score for score in found}


def test_scores_are_those_of_the_functions() -> None:
    real, fake = sample(60, 4, 0), sample(50, 4, 1, shift=0.5)
    found = scores_of(FeatureSpace(Named(4), "names"), real, fake)
    assert list(found) == [
        *("frechet", "kernel", "precision", "recall", "density", "coverage", "authenticity", "nearest_ratio")
    ]
    frechet, kernel = found["frechet"], found["kernel"]
    assert frechet.value == pytest.approx(float(frechet_distance_from_features(real.features, fake.features)))
    assert kernel.value == pytest.approx(float(kernel_distance(real.features, fake.features)))
    assert frechet.floor is not None
    closed = float(frechet_floor(feature_moments(real.features)[1], 60, 50))
    assert frechet.floor.closed_form == pytest.approx(closed)
    assert frechet.floor.measured == pytest.approx(closed, rel=0.5)
    assert frechet.interval is not None
    assert frechet.interval.low < frechet.value < frechet.interval.high
    assert (frechet.num_real, frechet.num_fake, frechet.num_features) == (60, 50, 4)
    assert frechet.meaningful
    coverage = found["coverage"].floor
    assert coverage is not None
    assert coverage.closed_form == pytest.approx(expected_coverage(60, 50, 5))
    assert found["precision"].higher_is_better


def test_too_few_clips_for_a_frechet_distance() -> None:
    found = scores_of(FeatureSpace(Named(40), "names"), sample(50, 40, 0), sample(51, 40, 1))
    assert not found["frechet"].meaningful
    assert "N = 50 is below 1.3 D = 52" in found["frechet"].note
    assert found["kernel"].meaningful


def test_without_enough_neighbours_there_are_only_distances() -> None:
    found = scores_of(FeatureSpace(Named(2), "names"), sample(5, 2, 0), sample(9, 2, 1))
    assert "precision" not in found


def test_why_there_is_no_interval_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.scoring.space_scorer.distance_interval", lambda *_: None)
    monkeypatch.setattr("evaluation.scoring.space_scorer.why_no_interval", lambda *_: "too few patients")
    found = scores_of(FeatureSpace(Named(2), "names"), sample(40, 2, 0), sample(40, 2, 1))
    assert found["kernel"].interval is None
    assert found["kernel"].note == "no interval: too few patients"


def test_copies_are_nearer_than_the_floor() -> None:
    real = sample(60, 4, 0)
    copied = Sample(real.features[:40] + 1e-3, [f"c{i}" for i in range(40)])
    found = scores_of(FeatureSpace(Named(4), "names"), real, copied, sample(60, 4, 2, prefix="h"))
    for key in ("authenticity", "nearest_ratio"):
        score = found[key]
        assert score.floor is not None
        assert score.floor.interval is not None
        assert score.value < 0.1 < score.floor.interval.low


def test_properties() -> None:
    entry = Property("p", "A property", "mm", lambda clips: clips.double().mean())
    real, fake = sample(40, 1, 0), sample(40, 1, 1, shift=1)
    score = score_property(entry, real, fake, "train", Baseline([real], 40))
    assert score.value == pytest.approx(float(property_distance(real.features[:, 0], fake.features[:, 0])))
    assert score.floor is not None
    assert score.floor.interval is not None
    assert score.value > score.floor.interval.high
    assert (score.metric, score.unit) == ("property_p", "mm")
