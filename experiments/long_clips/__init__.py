# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Ways to sample clips that are longer than those of the training, compared on procedural clips."""

from __future__ import annotations
