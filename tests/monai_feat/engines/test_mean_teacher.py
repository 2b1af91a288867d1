# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch import nn

from monai_feat.engines import MeanTeacherPrepareBatch


class Teacher(nn.Module):
    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return torch.cat([clip, -clip], dim=1)


def test_the_teacher_labels_clips_without_masks() -> None:
    batch = {key: torch.randn(2, 1, 1, 4, 4) for key in ("image", "label", "unlabelled", "unlabelled_strong")}
    batch["ramp"] = torch.tensor([0.5, 0.5])
    teacher = Teacher().train()
    inputs, target = MeanTeacherPrepareBatch(teacher)(batch)
    assert not teacher.training
    torch.testing.assert_close(inputs, torch.cat([batch["image"], batch["unlabelled_strong"]]))
    torch.testing.assert_close(target["teacher"][:, :1], torch.sigmoid(2 * batch["unlabelled"]))
    assert target["label"] is batch["label"]
    assert not target["teacher"].requires_grad


def test_a_batch_with_masks_alone_stays_as_it_is() -> None:
    batch = {"image": torch.zeros(1), "label": torch.ones(1), "source": ["a.mp4"]}
    inputs, target = MeanTeacherPrepareBatch(Teacher())(batch)  # type: ignore[arg-type]
    assert inputs is batch["image"]
    assert target is batch["label"]
