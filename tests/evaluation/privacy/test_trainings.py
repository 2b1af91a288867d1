# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
import torch

from evaluation.privacy import trainings
from evaluation.privacy.trainings import TRAININGS, TrainingPlan, attack_training

PLAN = TrainingPlan(num_train=4, num_held_out=6, steps=3, batch_size=2, num_frames=2, size=16, preset="pico")


@pytest.mark.parametrize("training", TRAININGS)
def test_a_training_is_attacked(training: str) -> None:
    found = attack_training(PLAN, training)
    assert found.num_clips == (4, 6)
    assert not found.is_calibrated
    assert found == attack_training(PLAN, training)


def test_endless_phantoms_show_each_attacked_clip_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "_encode", lambda autoencoder, clips: torch.stack(clips))
    plan = TrainingPlan(num_train=5, steps=10, batch_size=3, num_frames=2, size=16)
    attacked = plan.clips(5, 0)
    shown = torch.cat(list(trainings._endless(plan, None, attacked, 0)))  # type: ignore[arg-type]
    assert len(shown) == 30
    times = [int((shown == clip).flatten(1).all(1).sum()) for clip in attacked]
    assert times == [1] * 5
    assert len(shown.flatten(1).unique(dim=0)) == 30
