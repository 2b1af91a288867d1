# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evaluation.scoring.frame_scoring import score_frames, score_inception
from evaluation.scoring.spaces import FeatureSpace
from monai_feat.metrics.functional import frechet_distance_from_features, inception_score
from tests.evaluation.features import Named, sample


def test_frames_are_scored_by_moments_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.scoring.frame_scoring._BLOCK", 7)
    real, fake = sample(50, 3, 0), sample(40, 3, 1)
    score = score_frames(FeatureSpace(Named(3), "names"), real, fake, "train", correction=0)
    assert score.value == pytest.approx(float(frechet_distance_from_features(real.features, fake.features, 0)))
    logits = score_inception(FeatureSpace(Named(3), "names", is_logits=True), fake, splits=10)
    assert logits.value == pytest.approx(float(inception_score(fake.features, 10)[0]))
    assert "undefined" not in logits.note


def test_a_published_inception_score_of_few_frames_is_said_to_be_undefined() -> None:
    space = FeatureSpace(Named(3), "names", is_logits=True)
    few = score_inception(space, sample(90, 3, 1), splits=10, published_frames=100)
    assert few.note.endswith("whose last of 10 splits is empty below 91 frames")
    assert "undefined" not in score_inception(space, sample(91, 3, 1), splits=10, published_frames=100).note
