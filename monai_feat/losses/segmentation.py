# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Dice and cross-entropy of clips, with the consistency of a mean teacher where there are clips without masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from monai.losses import DeepSupervisionLoss, DiceCELoss
from torch import Tensor, nn

__all__ = ["ClipSegmentationLoss", "consistency_ramp"]


def consistency_ramp(done: float, length: float = 0.4) -> float:
    """Weight of the consistency at a share of the training: exp(-5 (1 - t)²) over its first part, then 1.

    Source: Tarvainen and Valpola 2017 (arXiv 1703.01780, Appendix B), with the ramp as a share of the training.

    Args:
        done: share of the training that is done, in [0, 1].
        length: share of the training after which the weight is 1.
    """
    t = min(done / length, 1.0)
    return float(torch.exp(torch.tensor(-5.0 * (1 - t) ** 2)))


class ClipSegmentationLoss(nn.Module):
    """Soft Dice + cross-entropy over the whole batch, halved from each supervised level to the next coarser one.

    Where the target holds a teacher's probabilities as well, they belong to the last clips of the batch, and their mean
    squared difference from the network's is added (Tarvainen and Valpola 2017, Section 3).

    Args:
        consistency_weight: weight of that difference.
    """

    def __init__(self, consistency_weight: float = 1.0) -> None:
        super().__init__()
        self.consistency_weight = consistency_weight
        # The Dice of a batch as a whole: in most batches some frame lacks a class, which is not a special case then.
        self.supervised = DeepSupervisionLoss(
            DiceCELoss(to_onehot_y=True, softmax=True, include_background=False, batch=True)
        )

    def forward(self, logits: Tensor | Sequence[Tensor], target: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Score logits.

        Args:
            logits: ``(B, K, T, H, W)``, or a list of them, the finest level first.
            target: classes ``(B, 1, T, H, W)``; or a dict of ``label``, classes of the first b clips, ``teacher``,
                probabilities ``(B - b, K, T, H, W)``, and ``ramp``, the present weight of the consistency.

        Returns:
            The loss, a scalar.
        """
        levels = [logits] if isinstance(logits, Tensor) else list(logits)
        if isinstance(target, Tensor):
            return self._supervised(levels, target)
        label, teacher = target["label"], target["teacher"]
        loss = self._supervised([level[: len(label)] for level in levels], label)
        student = levels[0][len(label) :].softmax(dim=1)
        inconsistency = (student - teacher).square().mean()
        return loss + self.consistency_weight * target["ramp"].mean() * inconsistency

    def _supervised(self, levels: list[Tensor], label: Tensor) -> Tensor:
        loss: Tensor = self.supervised(levels, label)
        return loss
