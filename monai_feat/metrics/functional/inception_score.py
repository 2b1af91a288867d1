# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Inception score of class logits."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from monai_feat.metrics.functional.rows import as_features

__all__ = ["inception_score"]


def inception_score(logits: Tensor, splits: int = 10) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over splits of ``exp(E KL(p(y|x) ‖ p(y)))``, float64 scalars.

    Source: Salimans et al. 2016. Splits are contiguous, so the order of clips moves the result a little, and the
    deviation is that of the splits as a population (divided by their number): both as published. It sees the synthetic
    side only, knows nothing of the data, and grows with the number of clips in a split: compare it at the same N.

    Args:
        logits: ``(N, classes)``, before softmax.
        splits: parts to average over.

    Raises:
        ValueError: logits have not two dimensions, values that are not finite, or fewer rows than splits.

    Example:
        >>> import torch
        >>> mean, deviation = inception_score(100 * torch.eye(4).repeat(10, 1))  # sure of each, and all alike often
        >>> mean, deviation
        (tensor(4., dtype=torch.float64), tensor(0., dtype=torch.float64))
    """
    logits = as_features(logits, "logits")
    if not 1 <= splits <= len(logits):
        raise ValueError(f"expected at least one clip per split, got {len(logits)} clips for {splits} splits")
    bounds = [part * len(logits) // splits for part in range(splits + 1)]
    scores = torch.stack([_score(logits[low:high]) for low, high in pairwise(bounds)])
    return scores.mean(), scores.std(correction=0)


def _score(logits: Tensor) -> Tensor:
    conditional = logits.log_softmax(dim=1)  # log p(y|x): (N, classes)
    probabilities = conditional.exp()
    marginal = probabilities.mean(dim=0).clamp(min=torch.finfo(logits.dtype).tiny).log()  # log p(y)
    return (probabilities * (conditional - marginal)).sum(dim=1).mean().exp()
