# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from pathlib import Path

import torch

from monai_feat.records import Meter


def energy(zone: Path, used: int, limit: int = 1_000_000_000) -> None:
    zone.mkdir(exist_ok=True)
    (zone / "energy_uj").write_text(f"{used}\n")
    (zone / "max_energy_range_uj").write_text(f"{limit}\n")


def test_time_memory_and_work_are_measured() -> None:
    meter = Meter()
    started = time.process_time()
    while time.process_time() - started < 0.05:
        torch.zeros(100).add_(1)
    found = meter.read()
    assert found["cpu_seconds"] >= 0.03  # the system counts in hundredths
    assert found["wall_seconds"] >= 0.03
    assert found["peak_memory_bytes"] > 2**24


def test_energy_counts_packages_once_and_past_the_end_of_their_counters(tmp_path: Path) -> None:
    energy(tmp_path / "intel-rapl:0", 999_000_000)
    energy(tmp_path / "intel-rapl:0:0", 5)  # a part of it
    energy(tmp_path / "intel-rapl:1", 10_000_000)
    meter = Meter(tmp_path)
    energy(tmp_path / "intel-rapl:0", 1_000_000)
    energy(tmp_path / "intel-rapl:1", 12_500_000)
    assert meter.read()["energy_joules"] == 4.5


def test_energy_that_is_not_told_is_none(tmp_path: Path) -> None:
    assert Meter(tmp_path).read()["energy_joules"] is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert Meter(tmp_path).read()["energy_joules"] is None
