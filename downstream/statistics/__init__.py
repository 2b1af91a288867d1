# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the scores of a study allow to say: gains with intervals, verdicts of declared questions, power."""

from __future__ import annotations

from .comparison import ALPHA, LEVEL, Comparison, Gain, compare, measure_gains
from .differences import Differences, arm_values, paired_differences
from .effect import Effect, Term, estimate_effect
from .judgement import FEWEST_FOLDS, FEWEST_PATIENTS, VERDICTS, Verdict, judge, why_not
from .power import detection_power, patients_needed

__all__ = [
    "ALPHA",
    "FEWEST_FOLDS",
    "FEWEST_PATIENTS",
    "LEVEL",
    "VERDICTS",
    "Comparison",
    "Differences",
    "Effect",
    "Gain",
    "Term",
    "Verdict",
    "arm_values",
    "compare",
    "detection_power",
    "estimate_effect",
    "judge",
    "measure_gains",
    "paired_differences",
    "patients_needed",
    "why_not",
]
