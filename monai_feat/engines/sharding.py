# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A network too large for one device: its weights, gradients and optimiser's state spread over all processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.distributed as dist
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.optim import Optimizer

from monai_feat.networks.nets import FEAT

__all__ = ["load_whole_state", "shard_layers", "whole_state"]

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
_TO_ALL = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)


def shard_layers(network: FEAT) -> FEAT:
    """Spread a FEAT over all processes with FSDP2: each holds its part, and a layer is gathered while it is at work.

    To be called before the optimiser is made, in every process, after `join_processes`. What comes out is the network
    itself; its gradients are averaged over the processes, as those of ``DistributedDataParallel`` are.

    Source: Zhao et al., "PyTorch FSDP" (https://arxiv.org/abs/2304.11277).

    Raises:
        RuntimeError: when the processes have not been joined.
    """
    if not dist.is_initialized():
        raise RuntimeError("there are no processes to spread a network over: start with torchrun, and join_processes")
    for layer in network.layers:
        fully_shard(layer)
    fully_shard(network)
    return network


def whole_state(network: nn.Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Gather what is spread over the processes, for `save_checkpoint`: plain tensors, on the CPU.

    Args:
        network: after `shard_layers`.
        optimizer: of it.

    Returns:
        In the first process the state under ``network`` and, with an optimiser, its own under ``optimizer``, by the
        names of the parameters; the others, which all have to call it, get empty ones.
    """
    state: dict[str, Any] = {"network": get_model_state_dict(network, options=_WHOLE)}
    if optimizer is not None:
        state["optimizer"] = get_optimizer_state_dict(network, optimizer, options=_WHOLE)
    return state


def load_whole_state(state: Mapping[str, Any], network: nn.Module, optimizer: Optimizer | None = None) -> None:
    """Hand out again what `whole_state` has gathered: any number of processes, which all call it.

    Args:
        state: as gathered; only that of the first process is looked at.
        network: after `shard_layers`.
        optimizer: of it.
    """
    set_model_state_dict(network, dict(state.get("network", {})), options=_TO_ALL)
    if optimizer is not None:
        set_optimizer_state_dict(network, optimizer, dict(state.get("optimizer", {})), options=_TO_ALL)
