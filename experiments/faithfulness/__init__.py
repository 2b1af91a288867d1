# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Do clips show what was asked for? Asked and measured, on procedural clips, whose truth is exact."""

from __future__ import annotations
