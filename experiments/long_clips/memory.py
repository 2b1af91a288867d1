# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How much memory one step of the sampler takes."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from monai_feat.inferers import WindowedDenoiser

__all__ = ["step_memory"]

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # see clear_refs in proc_pid_clear_refs(5)
# See mallopt(3). Larger blocks are the system's, and go back to it when they are freed. By default the limit rises with
# the blocks that are freed, up to the maximum, and what a process holds then depends on how its heap lies.
_MMAP_THRESHOLD, _LOW, _HIGHEST = -3, 128 * 1024, 32 * 1024 * 1024


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
    with _freed_is_given_back():
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
        before = _account("VmRSS")
        denoiser(clip, torch.zeros(1))
        return (_account("VmHWM") - before) / 1024


@contextmanager
def _freed_is_given_back() -> Iterator[None]:
    """Have the system see what is allocated and freed, as far as the C library is glibc."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        yield
        return
    library.malloc_trim(0)  # what was freed before would be used again, and not be seen
    library.mallopt(_MMAP_THRESHOLD, _LOW)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _HIGHEST)


def _account(name: str) -> float:
    """Return a line of the kernel's account of this process, KiB."""
    lines = (_PROCESS / "status").read_text(encoding="utf-8").splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[1])
