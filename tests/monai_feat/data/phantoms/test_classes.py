# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from monai_feat.data.phantoms import PHANTOM_CLASSES, phantom_class


def test_classes_follow_the_limits() -> None:
    low, middle, high = PHANTOM_CLASSES["ultrasound"]
    for fraction, name in ((0.39, low), (0.4, middle), (0.5, middle), (0.51, high)):
        assert phantom_class("ultrasound", {"ejection_fraction": fraction}) == name
    none, small, large = PHANTOM_CLASSES["endoscopy"]
    for present, diameter, name in ((0.0, 0.0, none), (1.0, 19.9, small), (1.0, 20.0, large)):
        assert phantom_class("endoscopy", {"polyp_present": present, "polyp_diameter_mm": diameter}) == name


def test_attributes_of_another_kind_are_refused() -> None:
    with pytest.raises(KeyError, match="ejection_fraction"):
        phantom_class("ultrasound", {"polyp_present": 1.0})
