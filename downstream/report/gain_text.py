# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Words that all parts of the report share."""

from __future__ import annotations

from monai_feat.data import OWN_GROUP
from monai_feat.visualize import format_number, format_range, percent

from ..metric_table import Metric
from ..statistics import LEVEL, Comparison
from .findings import ArmMean

__all__ = ["gain_text", "mean_text", "of_real_data", "p_text", "patient_text", "signed", "unit_text"]

_LEAST_P = 0.001


def signed(value: float, width: float | None = None) -> str:
    """Return a gain with its sign.

    Example:
        >>> signed(0.0312), signed(-0.02, width=0.1)
        ('+0.0312', '−0.02')
    """
    written = format_number(float(value), width=width)
    return f"+{written}" if value > 0 and written.strip("0.") else written


def gain_text(one: Comparison) -> str:
    """Return a gain and the interval that its verdict is read from."""
    ends = one.simultaneous
    if ends is None:
        return f"{signed(one.gain)} (one patient: no interval)"
    all_of = f", all {one.family} together" if one.family > 1 else ""
    return f"{signed(one.gain, ends[1] - ends[0])} ({percent(LEVEL)} interval {format_range(*ends)}{all_of})"


def mean_text(mean: ArmMean | None) -> str:
    """Return a mean, as precisely as its interval allows."""
    if mean is None:
        return "–"
    return format_number(mean.effect.value, width=mean.interval[1] - mean.interval[0] if mean.interval else None)


def patient_text(patient: str) -> str:
    """Return a patient's name; where it is the path of the only clip, the name of the file.

    Example:
        >>> patient_text("patient_007"), patient_text("file:/data/clips/a.mp4")
        ('patient_007', 'a.mp4')
    """
    return patient.rsplit("/", 1)[-1] if patient.startswith(OWN_GROUP) else patient


def p_text(p: float) -> str:
    """Return a p-value.

    Example:
        >>> p_text(0.0321), p_text(0.00001)
        ('0.032', '< 0.001')
    """
    return f"< {_LEAST_P}" if p < _LEAST_P else f"{p:.2g}" if p < 1 else "1"


def unit_text(metric: Metric) -> str:
    """Return title and unit of a metric, in one."""
    return f"{metric.title}, {metric.unit}" if metric.unit else metric.title


def of_real_data(fraction: float) -> str:
    """Return a fraction in words.

    Example:
        >>> of_real_data(1.0)
        'with all real data'
    """
    return "with all real data" if fraction == 1 else f"with {percent(fraction)} of the real data"
