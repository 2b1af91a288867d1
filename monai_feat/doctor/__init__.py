# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The doctor: looks at every clip of a datalist and reports what would spoil a study."""

from __future__ import annotations

from monai_feat.doctor.diagnosis import KINDS, ClipExam, Diagnosis, Finding
from monai_feat.doctor.examination import examine
from monai_feat.doctor.page import render_page

__all__ = ["KINDS", "ClipExam", "Diagnosis", "Finding", "examine", "render_page"]
