# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evaluation.memorisation import casts, simulation
from evaluation.memorisation.casts import RELATIVES, phantom_cast
from evaluation.memorisation.planting import PLAIN
from evaluation.memorisation.scenes import Design
from evaluation.memorisation.simulation import CLEAN, plant_copies, split_clean

SMALL = Design("ultrasound", num_train=12, num_held_out=40, num_fake=6, num_frames=8, size=32)


def test_clean_clips_are_counted_by_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "POOL", 1)
    counts = split_clean(SMALL, splits=2, seed=0, progress=False)
    assert len(counts) == 2
    for split in counts:
        assert split[CLEAN, "clip"][1] == 6
        assert split[CLEAN, "gate"][1] == 1


def test_planted_copies_are_found_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (casts, simulation):
        monkeypatch.setattr(module, "NUM_PLANTED", 2)
    kinds = {kind: PLAIN[kind] for kind in ("exact", "mirrored", "5 % noise")}
    monkeypatch.setattr(simulation, "PLANTS", kinds)
    monkeypatch.setattr(simulation, "plant", lambda kind, *given: kinds[kind](*given))
    counts = plant_copies(phantom_cast(SMALL, seed=0), seed=0)
    events = {(kind, event) for kind in (*kinds, *RELATIVES) for event in ("clip", "one", "many")}
    assert set(counts) == {(CLEAN, "clip"), (CLEAN, "gate"), *events}
    for kind in kinds:
        assert [counts[kind, event] for event in ("clip", "one", "many")] == [(2, 2)] * 3
