# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How many steps does sampling take? Distance from real procedural clips by sampler, steps and seconds."""

from __future__ import annotations
