# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What in a file may say who is in it, by kind of file; values are never kept."""

from __future__ import annotations

from monai_feat.doctor.identifiers.file_names import traces_in_name
from monai_feat.doctor.identifiers.files import look_at_metadata
from monai_feat.doctor.identifiers.traces import Traces

__all__ = ["Traces", "look_at_metadata", "traces_in_name"]
