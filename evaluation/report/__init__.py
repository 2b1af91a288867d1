# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation: one HTML page to read and mail, one JSON file for programs."""

from __future__ import annotations

from .verdict import Verdict, verdict
from .writing import BUDGET, write_report

__all__ = ["BUDGET", "Verdict", "verdict", "write_report"]
