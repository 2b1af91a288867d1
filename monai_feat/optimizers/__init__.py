# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Optimisers that torch does not have."""

from __future__ import annotations

from .muon_with_adamw import MuonWithAdamW

__all__ = ["MuonWithAdamW"]
