# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from monai_feat.apps.compare.measures import _flops, _training_peak
from monai_feat.networks.nets import FEAT, FEAT_PRESETS


def test_cost_grows_with_the_clip_as_it_should() -> None:
    network = FEAT(**FEAT_PRESETS["pico"])
    once, twice = (1, 4, 2, 8, 8), (1, 4, 4, 8, 8)
    assert 1.9 < _flops(network, twice) / _flops(network, once) < 2.1
    assert _training_peak(network, twice) > _training_peak(network, once) > 0
    assert next(network.parameters()).device.type == "cpu"
