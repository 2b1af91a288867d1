# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run ran on: packages, hardware, and the state of the code."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

__all__ = ["code_state", "hardware", "packages"]

_HOME = Path(__file__).resolve().parents[1]
_GIT_SECONDS = 20.0
_DRIVER = Path("/proc/driver/nvidia/version")


@functools.cache
def packages() -> dict[str, str]:
    """Return the version of every installed distribution, and of Python, by name."""
    found = {str(each.metadata["Name"]): each.version for each in distributions() if each.metadata["Name"]}
    return {"python": platform.python_version(), **dict(sorted(found.items(), key=lambda item: item[0].lower()))}


@functools.cache
def hardware() -> dict[str, Any]:
    """Return processor, cores, memory, system, and the devices that torch sees with their driver."""
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": _memory_bytes(),
        "devices": [_device(number) for number in range(torch.cuda.device_count())],
        "driver": _DRIVER.read_text(encoding="utf-8").splitlines()[0] if _DRIVER.is_file() else None,
    }


@functools.cache
def code_state() -> dict[str, Any] | None:
    """Return the git revision of the running library and what differs from it; None where it is not a checkout.

    Returns:
        ``revision``; ``changed``, the names of changed and new files; ``diff_sha256``, of the text of
        ``git diff HEAD``, or None where nothing differs.
    """
    # A folder of packages may lie in somebody's repository without being part of it.
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    revision = _git("rev-parse", "HEAD")
    if revision is None:
        return None
    changed = (_git("status", "--porcelain", "--untracked-files=normal", ":/") or b"").decode("utf-8", "replace")
    difference = _git("diff", "--no-ext-diff", "HEAD", "--", ":/") or b""
    return {
        "revision": revision.decode().strip(),
        "changed": [line[3:] for line in changed.splitlines()],
        "diff_sha256": hashlib.sha256(difference).hexdigest() if difference else None,
    }


def _git(*arguments: str) -> bytes | None:
    """Return what a git command prints; None where there is no git, or it fails."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run([git, "-C", str(_HOME), *arguments], capture_output=True, timeout=_GIT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not POSIX
        return None


def _device(number: int) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(number)
    return {"name": properties.name, "memory_bytes": properties.total_memory}
