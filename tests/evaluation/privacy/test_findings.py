# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from evaluation.privacy.findings import Membership


@pytest.mark.parametrize(
    ("p_value", "held_out", "tells", "passed"),
    [(0.5, 19, False, True), (0.04, 19, True, False), (0.5, 18, False, False), (0.04, 18, True, False)],
)
def test_only_a_calibrated_attack_that_failed_passes(p_value: float, held_out: int, tells: bool, passed: bool) -> None:
    found = Membership("weights", (), {}, p_value, (20, 20), (20, held_out), needed=19)
    assert (found.tells, found.passed) == (tells, passed)
