# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips without masks in a segmentation training: a teacher says what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.engines import PrepareBatch
from torch import Tensor, nn

__all__ = ["MeanTeacherPrepareBatch"]


class MeanTeacherPrepareBatch(PrepareBatch):
    """Let a teacher label the clips of a batch that have no mask, for `monai_feat.losses.ClipSegmentationLoss`.

    The teacher is the exponential moving average of the network that is trained (Tarvainen and Valpola 2017). It sees
    clips as they are, the network the same clips strongly changed in their pixels and not in their geometry.

    Args:
        teacher: the average; it is used as it is when a batch comes.
    """

    def __init__(self, teacher: nn.Module) -> None:
        self.teacher = teacher

    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, Any]:
        """Return inputs and target of one batch.

        Args:
            batchdata: ``image`` and ``label``; and where there are clips without masks ``unlabelled``,
                ``unlabelled_strong`` and ``ramp``.
            device: where to.
            non_blocking: of the copies.
            kwargs: further arguments of the copies.
        """
        batch = {
            key: value.to(device, non_blocking=non_blocking, **kwargs)
            for key, value in batchdata.items()
            if isinstance(value, Tensor)
        }
        if "unlabelled" not in batch:
            return batch["image"], batch["label"]
        self.teacher.eval()
        with torch.no_grad():
            teacher = self.teacher(batch["unlabelled"]).softmax(dim=1)  # (B, K, T, H, W)
        inputs = torch.cat([batch["image"], batch["unlabelled_strong"]])
        return inputs, {"label": batch["label"], "teacher": teacher, "ramp": batch["ramp"]}
