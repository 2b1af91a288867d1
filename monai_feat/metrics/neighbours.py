# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Fidelity, diversity and copying of synthetic clips, by nearest neighbours among features."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from monai_feat.metrics.feature_metric import FeatureSampleMetric
from monai_feat.metrics.functional.neighbours import (
    authenticity,
    nearest_neighbour_ratio,
    precision_recall_density_coverage,
)

__all__ = ["AuthPct", "NearestNeighbourRatio", "PrecisionRecallDensityCoverage"]


class PrecisionRecallDensityCoverage(FeatureSampleMetric):
    """Precision, recall, density and coverage of synthetic clips among real ones.

    Source: Kynkäänniemi et al. 2019, Naeem et al. 2020; see
    :func:`~monai_feat.metrics.functional.precision_recall_density_coverage`, and
    :func:`~monai_feat.metrics.functional.expected_coverage` for the best value of coverage.

    Args:
        network: see :class:`FeatureMetric`.
        k: neighbours that a clip reaches.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: in `compute`, a side has no more than k clips.

    Example:
        >>> import torch
        >>> scores = PrecisionRecallDensityCoverage(k=3)
        >>> scores.update_features(torch.arange(10.0)[:, None], real=True)
        >>> scores.update_features(torch.arange(5.0)[:, None] + 0.1, real=False)
        >>> {name: round(value.item(), 2) for name, value in scores.compute().items()}
        {'precision': 1.0, 'recall': 0.8, 'density': 1.33, 'coverage': 0.7}
    """

    higher_is_better: bool | None = True
    plot_lower_bound: float = 0.0

    def __init__(
        self, network: nn.Module | None = None, k: int = 5, reset_real_features: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(network, reset_real_features, **kwargs)
        self.k = k

    def compute(self) -> dict[str, Tensor]:
        """Return float64 scalars ``precision``, ``recall``, ``density`` and ``coverage``."""
        return precision_recall_density_coverage(*self.samples(), k=self.k)


class AuthPct(FeatureSampleMetric):
    """Percentage of synthetic clips that are authentic: farther from their nearest real clip than that from any other.

    Source: Alaa et al. 2022, named by Stein et al. 2023; see :func:`~monai_feat.metrics.functional.authenticity`. The
    real side is the training set. Copies bring it down, and so do fakes in dense regions: read it against that of
    held-out clips in the place of synthetic ones.

    Args:
        network: see :class:`FeatureMetric`.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: in `compute`, there are fewer than two real clips or no synthetic one.

    Example:
        >>> import torch
        >>> share = AuthPct()
        >>> share.update_features(torch.tensor([[0.0], [1.0], [2.0]]), real=True)
        >>> share.update_features(torch.tensor([[0.1], [3.5]]), real=False)
        >>> share.compute()
        tensor(50., dtype=torch.float64)
    """

    higher_is_better: bool | None = True
    plot_lower_bound: float = 0.0
    plot_upper_bound: float = 100.0

    def compute(self) -> Tensor:
        """Return the percentage, in [0, 100], a float64 scalar."""
        return 100 * authenticity(*self.samples())


class NearestNeighbourRatio(FeatureSampleMetric):
    """How much nearer synthetic clips are to one real clip than to any other: the mark of a copy.

    Source: Yoon et al. 2023; Gu et al. 2023; see :func:`~monai_feat.metrics.functional.nearest_neighbour_ratio`. The
    real side is the training set, one clip of each video.

    Args:
        network: see :class:`FeatureMetric`.
        threshold: ratio below which a clip counts as memorised.
        reset_real_features: False keeps the real side over `reset`.
        kwargs: of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: the threshold is not in (0, 1], or, in `compute`, there are fewer than two real or no synthetic
            clips.

    Example:
        >>> import torch
        >>> ratio = NearestNeighbourRatio()
        >>> ratio.update_features(torch.tensor([[0.0], [1.0]]), real=True)
        >>> ratio.update_features(torch.tensor([[0.2], [3.0], [-2.0]]), real=False)
        >>> {name: round(value.item(), 2) for name, value in ratio.compute().items()}
        {'median_ratio': 0.67, 'memorised_share': 0.33}
    """

    higher_is_better: bool | None = None
    plot_lower_bound: float = 0.0
    plot_upper_bound: float = 1.0

    def __init__(
        self,
        network: nn.Module | None = None,
        threshold: float = 1 / 3,
        reset_real_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(network, reset_real_features, **kwargs)
        if not 0 < threshold <= 1:
            raise ValueError(f"expected a threshold in (0, 1], got {threshold}")
        self.threshold = threshold

    def compute(self) -> dict[str, Tensor]:
        """Return float64 scalars ``median_ratio`` and ``memorised_share``, both in [0, 1]."""
        ratios = nearest_neighbour_ratio(*self.samples())
        return {"median_ratio": ratios.median(), "memorised_share": (ratios < self.threshold).double().mean()}
