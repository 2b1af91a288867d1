# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Kernel distance of real and synthetic clips."""

from __future__ import annotations

from torch import Tensor

from monai_feat.metrics.feature_metric import FeatureSampleMetric
from monai_feat.metrics.functional.kernel import kernel_distance

__all__ = ["KernelVideoDistance"]


class KernelVideoDistance(FeatureSampleMetric):
    """Unbiased squared maximum mean discrepancy of features under the cubic kernel of KID.

    Source: Bińkowski et al. 2018; see :func:`~monai_feat.metrics.functional.kernel_distance`. 0 for the same law at any
    number of clips, which a Fréchet distance is not: the one to report where there are fewer than 1.3 clips per
    feature. With a network of frames it is KID, computed over all pairs instead of subsets.

    Args:
        network: see :class:`FeatureMetric`.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: in `compute`, a side has fewer than two clips.

    Example:
        >>> import torch
        >>> distance = KernelVideoDistance()
        >>> distance.update_features(torch.tensor([[0.0], [1.0]]), real=True)
        >>> distance.update_features(torch.tensor([[1.0], [2.0]]), real=False)
        >>> distance.compute()
        tensor(9.5000, dtype=torch.float64)
    """

    def compute(self) -> Tensor:
        """Return the distance, a float64 scalar that may fall below 0."""
        return kernel_distance(*self.samples())
