# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from evaluation.reading.protocol import PRESETS, Protocol
from evaluation.scoring.feature_cache import Features, Sample
from evaluation.scoring.properties import ClipProperties
from evaluation.scoring.scorecard import distributions, score_all
from evaluation.scoring.spaces import FeatureSpace
from monai_feat.metrics.functional.properties import Property
from tests.evaluation.features import Named, sample

MEASURED = ClipProperties([Property("level", "Level", "", lambda clips: clips.double().mean((1, 2, 3, 4)))])
SPACE = FeatureSpace(Named(2), "names", published_as="FVD")


def features(count: int, seed: int, missing: int = 0, width: int = 2) -> Features:
    exists = torch.ones(count, 1, dtype=torch.float64)
    exists[:missing] = 0
    values = sample(count, 1, seed)
    columns = Sample(torch.cat([values.features * exists, exists], dim=1), values.groups)
    return Features({"named": sample(count, width, seed), "properties": columns}, ["d"] * count)


def test_every_reference_has_its_scores_and_one_leads() -> None:
    sides = {"train": features(30, 0), "fake": features(30, 1), "held_out": features(30, 2)}
    scores = score_all([SPACE], MEASURED, sides, Protocol("strict"))
    against = {name: [s.metric for s in scores if s.reference == name] for name in ("held_out", "train")}
    assert set(against["train"]) - set(against["held_out"]) == {"authenticity_named", "nearest_ratio_named"}
    assert [s.metric for s in scores if s.lead] == ["frechet_named"]
    assert scores[0].lead
    assert scores[0].reference == "held_out"
    assert scores[0].title == "Fréchet distance of names"


def test_the_kernel_distance_leads_where_clips_are_few() -> None:
    sides = {"train": features(30, 0, width=40), "fake": features(30, 1, width=40)}
    scores = score_all([FeatureSpace(Named(40), "names")], MEASURED, sides, Protocol("strict"))
    assert [s.metric for s in scores if s.lead] == ["kernel_named"]


def test_published_names_are_for_published_protocols() -> None:
    sides = {"train": features(30, 0), "fake": features(30, 1)}
    titles = [score_all([SPACE], MEASURED, sides, PRESETS[name])[0].title for name in ("strict", "endora_2024")]
    assert titles == ["Fréchet distance of names", "FVD (endora_2024)"]
    changed = Protocol("endora_2024, but num_frames")
    assert score_all([SPACE], MEASURED, sides, changed)[0].title == "Fréchet distance of names"


def test_clips_without_a_property_do_not_count() -> None:
    sides = {"train": features(30, 0, missing=4), "fake": features(30, 1)}
    (found,) = distributions(MEASURED, sides)
    assert (len(found.train), len(found.fake), len(found.held_out)) == (26, 30, 0)
    (score,) = [s for s in score_all([SPACE], MEASURED, sides, Protocol("strict")) if s.metric == "property_level"]
    assert (score.num_real, score.num_fake) == (26, 30)
    nobody = {"train": features(30, 0, missing=30), "fake": features(30, 1)}
    assert "property_level" not in [s.metric for s in score_all([SPACE], MEASURED, nobody, Protocol("strict"))]
