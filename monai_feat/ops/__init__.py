# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Operators: one function each, with a slow twin that defines it."""

from __future__ import annotations

from .bi_wkv import bi_wkv, bi_wkv_reference
from .linear_recurrence import linear_recurrence

__all__ = ["bi_wkv", "bi_wkv_reference", "linear_recurrence"]
