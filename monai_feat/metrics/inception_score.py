# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Inception score of synthetic clips."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from monai_feat.metrics.feature_metric import FeatureMetric
from monai_feat.metrics.functional.inception_score import inception_score

__all__ = ["InceptionScore"]


class InceptionScore(FeatureMetric):
    """Inception score: how sure a classifier is of each synthetic clip, and how many classes it finds among them.

    Source: Salimans et al. 2016; see :func:`~monai_feat.metrics.functional.inception_score`. Real clips play no part:
    they are passed over, so that it can stand in a collection with the others.

    Args:
        network: maps clips, or frames where it says so, to class logits ``(N, classes)``.
        splits: contiguous parts to average over; under more than one process these are in the order of the processes.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: in `compute`, there are fewer synthetic clips than splits.

    Example:
        >>> import torch
        >>> score = InceptionScore(splits=2)
        >>> score.update_features(100 * torch.eye(4).repeat(10, 1), real=False)
        >>> score.compute()["inception_score"]
        tensor(4., dtype=torch.float64)
    """

    higher_is_better: bool | None = True
    plot_lower_bound: float = 1.0

    fake_logits: list[Tensor] | Tensor

    def __init__(self, network: nn.Module | None = None, splits: int = 10, **kwargs: Any) -> None:
        super().__init__(network, **kwargs)
        self.splits = splits
        self.add_state("fake_logits", default=[], dist_reduce_fx="cat")

    def update(self, clips: Tensor, real: bool) -> None:
        """Take in synthetic clips, and pass over real ones; see :meth:`FeatureMetric.update`."""
        if not real:
            super().update(clips, real)

    def add(self, features: Tensor, real: bool) -> None:
        """Keep the logits ``(N, classes)`` of synthetic clips."""
        if not real:
            assert isinstance(self.fake_logits, list)
            self.fake_logits.append(features.double())

    def compute(self) -> dict[str, Tensor]:
        """Return ``inception_score``, and over splits its ``inception_score_deviation``, float64 scalars."""
        mean, deviation = inception_score(self._joined(self.fake_logits), self.splits)
        return {"inception_score": mean, "inception_score_deviation": deviation}
