# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Predict with the trained algorithm of one fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_feat.apps.auto3dseg import ClipPredictor

__all__ = ["InferClass"]


class InferClass(ClipPredictor):
    """What ``BundleAlgo.get_inferer`` looks for.

    Args:
        config_file: the configs of the algorithm, which the weights know already.
        override: settings of Auto3DSeg's ensembles, none of which concern a prediction.
    """

    def __init__(self, config_file: str | Sequence[str] | None = None, **override: Any) -> None:
        super().__init__(Path(__file__).resolve().parents[1])
