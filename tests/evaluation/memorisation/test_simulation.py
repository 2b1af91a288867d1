# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evaluation.memorisation import simulation
from evaluation.memorisation.planting import PLANTS
from evaluation.memorisation.scenes import Design
from evaluation.memorisation.simulation import CLEAN, RELATIVES, plant_copies, split_clean

SMALL = Design("ultrasound", num_train=24, num_held_out=40, num_fake=8, num_frames=8, size=32)


def test_clean_clips_are_counted_by_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "POOL", 1)
    counts = split_clean(SMALL, splits=3, seed=0, progress=False)
    assert len(counts) == 3
    for split in counts:
        assert split[CLEAN, "clip"][1] == 8
        assert split[CLEAN, "gate"][1] == 1


def test_planted_copies_are_found_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "NUM_PLANTED", 4)
    counts = plant_copies(SMALL, seed=0)
    assert set(counts) == {(kind, event) for kind in (*PLANTS, *RELATIVES) for event in ("clip", "one", "many")}
    for kind in ("exact", "mirrored", "5 % noise", "brighter by 10 %"):
        assert [counts[kind, event] for event in ("clip", "one", "many")] == [(4, 4)] * 3
    assert plant_copies(SMALL, seed=0) == counts
