# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The average of a network whose weights are spread over all processes."""

from __future__ import annotations

from typing import Any, cast

from monai_feat.distributed import shard_layers
from monai_feat.handlers.schedules import ExponentialMovingAverage
from monai_feat.networks.nets import FEAT

__all__ = ["ShardedExponentialMovingAverage"]


class ShardedExponentialMovingAverage(ExponentialMovingAverage):
    """`ExponentialMovingAverage` that spreads a FEAT and its average over all processes, see `shard_layers`.

    The arguments are the same. The optimiser is made after it, of ``model.parameters()``.
    """

    def __init__(self, model: FEAT, *args: Any, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)  # makes a copy, which a network in parts does not allow
        shard_layers(model)
        shard_layers(cast("FEAT", self.ema_model))
