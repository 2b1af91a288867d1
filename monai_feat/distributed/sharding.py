# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A network too large for one device: its weights, gradients and optimiser's state spread over all processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import ignite.distributed as idist
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from monai_feat.checkpoints import check_weights, save_checkpoint
from monai_feat.networks.nets import FEAT

__all__ = [
    "FullStateDict",
    "full_state_dict",
    "full_tensor",
    "load_full_state_dict",
    "save_weights",
    "shard_layers",
]

_FULL = StateDictOptions(full_state_dict=True, cpu_offload=True)


def shard_layers(network: FEAT) -> FEAT:
    """Spread a FEAT over all processes with FSDP2: each holds its part, and a layer is gathered while it is at work.

    To be called before the optimiser is made, in every process, after `join_processes`. What comes out is the network
    itself; its gradients are averaged over the processes, as those of ``DistributedDataParallel`` are.

    Source: Zhao et al., "PyTorch FSDP" (https://arxiv.org/abs/2304.11277).

    Raises:
        RuntimeError: when the processes have not been joined.
    """
    if not dist.is_initialized():
        raise RuntimeError(
            "shard_layers was called in a single process, expected several that have joined: start with torchrun, and "
            "call join_processes before it"
        )
    # What stays whole after a forward pass, as FSDP2 leaves the outermost module, would be averaged in vain.
    for part in (*network.layers, network):
        fully_shard(part, reshard_after_forward=True)
    return network


def full_state_dict(network: nn.Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Gather the full state dicts of a network and its optimiser, for `save_checkpoint`: plain tensors, on the CPU.

    Args:
        network: after `shard_layers`.
        optimizer: of it.

    Returns:
        In the first process the state under ``network`` and, with an optimiser, its own under ``optimizer``, by the
        names of the parameters; the others, which all have to call it, get empty ones.
    """
    state: dict[str, Any] = {"network": get_model_state_dict(network, options=_FULL)}
    if optimizer is not None:
        state["optimizer"] = get_optimizer_state_dict(network, optimizer, options=_FULL)
    return state


def load_full_state_dict(state: Mapping[str, Any], network: nn.Module, optimizer: Optimizer | None = None) -> None:
    """Load what `full_state_dict` has gathered, on any number of processes, which all call it.

    Args:
        state: as gathered; only that of the first process is looked at.
        network: after `shard_layers`.
        optimizer: of it.
    """
    set_model_state_dict(network, dict(state.get("network", {})), options=_to_all())
    if optimizer is not None:
        set_optimizer_state_dict(network, optimizer, dict(state.get("optimizer", {})), options=_to_all())


def full_tensor(tensor: Tensor) -> Tensor:
    """Gather a tensor that is spread over the processes, which all have to ask; return any other as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def save_weights(network: nn.Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write a network's weights in the first process; all call it, because what is spread over them is gathered first.

    Args:
        network: plain, or after `shard_layers`.
        path: a ``.safetensors`` file.
        metadata: strings to keep beside them.
    """
    weights = full_state_dict(network)["network"]
    if idist.get_rank() == 0:
        save_checkpoint(weights, path, metadata)


class FullStateDict:
    """Gives checkpoints the full state dict of a sharded network or of its optimiser, as an unsharded one has it.

    So a checkpoint does not show how many processes made it, and any number goes on from it. All processes call both
    methods.

    Args:
        network: after `shard_layers`.
        optimizer: of the network, whose state is meant then; None for that of the network.
    """

    def __init__(self, network: nn.Module, optimizer: Optimizer | None = None) -> None:
        self.network, self.optimizer = network, optimizer

    def state_dict(self) -> dict[str, Any]:
        """Gather the state: in the first process it is whole, in the others empty."""
        if self.optimizer is None:
            return get_model_state_dict(self.network, options=_FULL)
        state = get_optimizer_state_dict(self.network, self.optimizer, options=_FULL)
        return _renamed(state, {name: i for i, name in enumerate(self._names)})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Hand out a whole state; only that of the first process is looked at.

        Raises:
            CheckpointError: it is of another network.
        """
        if self.optimizer is None:
            check_weights(self.network.state_dict(), state, source="the checkpoint", target=type(self.network).__name__)
            set_model_state_dict(self.network, dict(state), options=_to_all())
        else:
            named = _renamed(state, dict(enumerate(self._names)))
            set_optimizer_state_dict(self.network, self.optimizer, named, options=_to_all())

    @property
    def _names(self) -> list[str]:
        return [name for name, _ in self.network.named_parameters()]


def _to_all() -> StateDictOptions:
    return StateDictOptions(full_state_dict=True, broadcast_from_rank0=dist.is_initialized())


def _renamed(state: Mapping[str, Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    """An optimiser's state with other names of the parameters: torch's optimisers count them, FSDP2 names them."""
    if not state:
        return {}
    groups = [{**group, "params": [names[name] for name in group["params"]]} for group in state["param_groups"]]
    return {"state": {names[name]: values for name, values in state["state"].items()}, "param_groups": groups}
