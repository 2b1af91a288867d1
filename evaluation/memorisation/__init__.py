# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The memorisation gate: does a synthetic clip repeat a training clip? See docs/memorisation.md."""

from __future__ import annotations

from .describe import describe
from .gate import run_gate

__all__ = ["describe", "run_gate"]
