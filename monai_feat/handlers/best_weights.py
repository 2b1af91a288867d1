# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The best weights of a training so far, in a file that knows how good they are."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from torch import nn

from monai_feat.checkpoints import read_metadata
from monai_feat.distributed.processes import all_reduce_any
from monai_feat.distributed.sharding import save_weights

__all__ = ["BestWeights"]

logger = logging.getLogger(__name__)


class BestWeights:
    """Keep the weights with the smallest metric of all validations in one file.

    The file itself says how good its weights are, and is only replaced by better ones. So a training that was killed
    and resumed keeps the same weights as one that was not; nothing has to be saved with its checkpoints.

    Args:
        network: whose weights are kept.
        path: a ``.safetensors`` file.
        metric: name of an entry of the evaluator's metrics; smaller is better. NaN is never kept.
        metadata: strings to keep beside the metric and the epoch.
    """

    def __init__(
        self, network: nn.Module, path: str | os.PathLike[str], metric: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        self.network, self.path, self.metric = network, Path(path), metric
        self.metadata = dict(metadata or {})

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Look at the metric, and save where it is the best so far.

        Raises:
            KeyError: the evaluator has no such metric; names those that it has.
        """
        if self.metric not in engine.state.metrics:
            raise KeyError(
                f"the metric is {self.metric!r}, expected one that the evaluator measures: "
                f"{sorted(engine.state.metrics)}"
            )
        value = float(engine.state.metrics[self.metric])
        logger.info("epoch %d: %s %.6g", engine.state.epoch, self.metric, value)
        if all_reduce_any(idist.get_rank() == 0 and value < self.best()):  # the others may not see the file
            found = {self.metric: repr(value), "epoch": str(engine.state.epoch)}
            save_weights(self.network, self.path, {**self.metadata, **found})

    def best(self) -> float:
        """Return the metric of the weights in the file; infinity where there is none."""
        return float(read_metadata(self.path)[self.metric]) if self.path.is_file() else math.inf
