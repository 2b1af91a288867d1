# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The report of a study: one HTML page to read and mail, a JSON file for programs, tables as CSV."""

from __future__ import annotations

from .choice import extreme_clips
from .inputs import Example, ReportArm, ReportInput, Sample
from .writing import write_report

__all__ = ["Example", "ReportArm", "ReportInput", "Sample", "extreme_clips", "write_report"]
