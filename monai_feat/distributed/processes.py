# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Several processes, as ``torchrun`` starts them on one machine or on many, with one model between them."""

from __future__ import annotations

import os
from datetime import timedelta

import ignite.distributed as idist
import torch
import torch.distributed as dist

__all__ = ["all_reduce_any", "join_processes", "local_device"]


def local_device() -> torch.device:
    """Return the GPU of this process, one for each process of a machine; the CPU where there is none."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def join_processes(device: torch.device, patience: float = 3600.0) -> None:
    """Join the processes that ``torchrun`` has started: over NCCL with GPUs, over gloo without.

    Args:
        device: of this process.
        patience: how long a process waits for the others, in seconds, before it gives up; the first draws samples while
            the others wait.

    Raises:
        RuntimeError: when it was not ``torchrun`` that started this process.
    """
    if "RANK" not in os.environ:
        raise RuntimeError(
            "this config is for several processes: start it with torchrun --nproc_per_node=N -m monai.bundle run …"
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=timedelta(seconds=patience))


def all_reduce_any(flag: bool) -> bool:
    """All-reduce a flag: return whether it is true in any of the processes, which all have to call this."""
    return bool(idist.all_reduce(float(flag), "MAX")) if idist.get_world_size() > 1 else flag
