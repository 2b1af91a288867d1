# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch import Tensor

from evaluation.scoring.properties import ClipProperties, chosen_properties
from monai_feat.metrics.functional.properties import PROPERTIES, Property


def _level_of_bright_clips(clips: Tensor) -> Tensor:
    level = clips.double().mean((1, 2, 3, 4))
    return torch.where(level > 100, level, torch.nan)


def test_values_and_where_they_exist() -> None:
    network = ClipProperties(
        [
            Property("peak", "Peak", "", lambda clips: clips.double().amax((1, 2, 3, 4))),
            Property("level", "Level", "", _level_of_bright_clips),
        ]
    )
    clips = torch.tensor([200, 50], dtype=torch.uint8)[:, None, None, None, None].expand(2, 1, 2, 4, 4)
    features = network(clips)
    assert features.shape == (2, network.num_features)
    assert torch.isfinite(features).all()
    values, exists = network.values(features, 1)
    assert values[exists].tolist() == [200.0]
    assert exists.tolist() == [True, False]
    assert network.values(features, 0)[0].tolist() == [200.0, 50.0]


def test_properties_suit_the_clips() -> None:
    names = [entry.name for entry in chosen_properties("ultrasound", 16)]
    assert "speckle_snr" in names
    assert "redness" not in names
    assert [entry.name for entry in chosen_properties("any", 1)] == []
    assert ClipProperties([]).identity != ClipProperties([PROPERTIES["flicker"]]).identity
