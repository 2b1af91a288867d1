# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Privacy of weights: do they tell the patients that they were trained on?"""

from __future__ import annotations

from .errors import ClipErrors, as_denoiser, measure_errors
from .findings import Membership, TruePositiveRate
from .inference import infer_membership

__all__ = ["ClipErrors", "Membership", "TruePositiveRate", "as_denoiser", "infer_membership", "measure_errors"]
