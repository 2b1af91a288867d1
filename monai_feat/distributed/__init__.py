# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One model trained by several processes: batches, weights and gradients that are shared."""

from __future__ import annotations

from monai_feat.distributed.batch_sampler import DistributedBatchSampler
from monai_feat.distributed.processes import all_reduce_any, join_processes, local_device
from monai_feat.distributed.sharding import (
    FullStateDict,
    full_state_dict,
    full_tensor,
    load_full_state_dict,
    save_weights,
    shard_layers,
)

__all__ = [
    "DistributedBatchSampler",
    "FullStateDict",
    "all_reduce_any",
    "full_state_dict",
    "full_tensor",
    "join_processes",
    "load_full_state_dict",
    "local_device",
    "save_weights",
    "shard_layers",
]
