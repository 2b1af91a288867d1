# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run costs: time, CPU time, memory, and energy where the machine tells."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

__all__ = ["Meter"]

_KIBIBYTE = 1024
_POWERCAP = Path("/sys/class/powercap")


class Meter:
    """Measures from when it is made.

    Args:
        powercap: folder in which Linux counts the energy of processors.

    Example:
        >>> sorted(Meter().read())[:2]
        ['cpu_seconds', 'device_peak_memory_bytes']
    """

    def __init__(self, powercap: Path = _POWERCAP) -> None:
        self._powercap = powercap
        self._wall, self._cpu, self._energy = time.monotonic(), _cpu_seconds(), self._counters()

    def read(self) -> dict[str, Any]:
        """Return seconds of the clock and of CPUs, with child processes that have ended; bytes; joules.

        The peak of memory is that of the whole process, which may have done other things before. Energy is that of all
        processors of the machine, whoever used them; None where it is not told, or only to an administrator.
        """
        has_device = torch.cuda.is_available()
        return {
            "wall_seconds": time.monotonic() - self._wall,
            "cpu_seconds": _cpu_seconds() - self._cpu,
            "peak_memory_bytes": _peak_memory(),
            "device_peak_memory_bytes": torch.cuda.max_memory_allocated() if has_device else None,
            "energy_joules": self._joules(),
        }

    def _counters(self) -> dict[str, tuple[int, int]]:
        """Return microjoules and where they begin anew, for each processor package."""
        found = {}
        for zone in sorted(self._powercap.glob("intel-rapl:*")):
            if zone.name.count(":") > 1:  # a part of a package
                continue
            try:
                values = ((zone / name).read_text(encoding="ascii") for name in ("energy_uj", "max_energy_range_uj"))
                used, limit = map(int, values)
            except (OSError, ValueError):
                continue
            found[zone.name] = (used, limit)
        return found

    def _joules(self) -> float | None:
        now = self._counters()
        spent = [(now[zone][0] - used) % limit for zone, (used, limit) in self._energy.items() if zone in now and limit]
        return sum(spent) / 1e6 if spent else None


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_memory() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE
