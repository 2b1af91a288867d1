# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The weights of a training when a part of it was done."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine
from torch import nn

from monai_feat.distributed.processes import all_reduce_any
from monai_feat.distributed.sharding import save_weights
from monai_feat.handlers.steps import ON_STEP, num_steps

__all__ = ["EarlyWeights"]


class EarlyWeights:
    """Write the weights once, after a share of the training, for `AutoguidedDenoiser`.

    They are written a step after it: a step that broke the weights is noticed by the loss of the next one, which stops
    the training. A training that was resumed after that keeps the file as it is.

    Args:
        network: whose weights are written.
        path: a ``.safetensors`` file.
        done: how much of the training is done by step, from 0 to 1, see `share_done`.
        share: of the training, in (0, 1).
        metadata: strings to keep beside the weights.

    Raises:
        ValueError: when the share is out of range.
    """

    def __init__(
        self,
        network: nn.Module,
        path: str | os.PathLike[str],
        done: Callable[[int], float],
        share: float = 0.25,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        if not 0 < share < 1:
            raise ValueError(f"the share of the training must be between 0 and 1, got {share}")
        self.network, self.path, self.done, self.share = network, Path(path), done, share
        self.metadata = dict(metadata or {})
        self._is_due = False

    def attach(self, engine: Engine) -> None:
        """Register with a trainer, after what averages the weights."""
        engine.add_event_handler(ON_STEP, self)

    def __call__(self, engine: Any) -> None:
        """Write the file when it was due at the step before, and is not there."""
        if all_reduce_any(idist.get_rank() == 0 and self._is_due and not self.path.is_file()):  # others may not see it
            save_weights(self.network, self.path, self.metadata)
        self._is_due = self.done(num_steps(engine)) >= self.share
