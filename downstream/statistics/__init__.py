# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the scores of a study allow to say: gains with intervals, tests over arms, verdicts, power."""

from __future__ import annotations

from .bootstrap import bootstrap_interval
from .comparison import ALPHA, LEVEL, Comparison, Gain, compare_arms, measure_gains
from .differences import Differences, arm_values, paired_differences
from .effect import Effect, estimate_effect
from .judgement import VERDICTS, Verdict, judge
from .multiplicity import holm, signed_rank_p
from .power import detection_power, patients_needed
from .simulated_coverage import simulated_coverage

__all__ = [
    "ALPHA",
    "LEVEL",
    "VERDICTS",
    "Comparison",
    "Differences",
    "Effect",
    "Gain",
    "Verdict",
    "arm_values",
    "bootstrap_interval",
    "compare_arms",
    "detection_power",
    "estimate_effect",
    "holm",
    "judge",
    "measure_gains",
    "paired_differences",
    "patients_needed",
    "signed_rank_p",
    "simulated_coverage",
]
