# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How much memory one step of the sampler takes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from monai_feat.inferers import WindowedDenoiser

__all__ = ["step_memory"]

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # see clear_refs in proc_pid_clear_refs(5)


@torch.no_grad()
def step_memory(network: nn.Module, window: int | None, latent_shape: Sequence[int]) -> float:
    """Measure the most memory that one denoising step takes on a CPU, with one window at a time.

    Args:
        network: denoiser.
        window: frames of a window; None for one pass.
        latent_shape: shape of the clip's latents, (C, T, H, W).

    Returns:
        MiB beyond what the process has before the step; NaN where the system, unlike Linux, does not tell.
    """
    if not (_PROCESS / "clear_refs").is_file():
        return float("nan")
    denoiser, clip = WindowedDenoiser(network, window, windows_at_once=1), torch.randn(1, *latent_shape)
    ctypes.CDLL(None).malloc_trim(0)  # what was freed before would be used again, and not be seen
    (_PROCESS / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    before = _account("VmRSS")
    denoiser(clip, torch.zeros(1))
    return (_account("VmHWM") - before) / 1024


def _account(name: str) -> float:
    """Return a line of the kernel's account of this process, KiB."""
    lines = (_PROCESS / "status").read_text(encoding="utf-8").splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[1])
