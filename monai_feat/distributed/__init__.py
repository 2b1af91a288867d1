# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One model trained by several processes: batches, weights and gradients that are shared."""

from __future__ import annotations

from monai_feat.distributed.processes import anywhere, join_processes, local_device
from monai_feat.distributed.sharding import (
    WholeState,
    load_whole_state,
    save_weights,
    shard_layers,
    whole_state,
    whole_tensor,
)
from monai_feat.distributed.shared_batches import SharedBatches

__all__ = [
    "SharedBatches",
    "WholeState",
    "anywhere",
    "join_processes",
    "load_whole_state",
    "local_device",
    "save_weights",
    "shard_layers",
    "whole_state",
    "whole_tensor",
]
