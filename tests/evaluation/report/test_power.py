# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from evaluation.report.power import power_section
from tests.evaluation.report.test_mending import power


def test_every_band_is_drawn_and_faults_stand_beside_theirs() -> None:
    page = str(power_section(power(finest=0.3)))
    for title in ("Coarse structure", "Finest detail", "Slow change", "Fast change of brightness"):
        assert title in page
    assert page.index("Finest detail<") < page.index(">blur<")


def test_a_group_without_bands_says_so() -> None:
    few = [ratio for ratio in power() if "change" not in ratio.name]
    assert "There is none on either side" in str(power_section(few))
