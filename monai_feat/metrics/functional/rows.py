# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Feature vectors as rows of a matrix: what every function of them checks first, and how memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["as_features", "as_two_samples", "row_blocks"]

BLOCK_ELEMENTS = 2**22  # pairs of rows held at once: 32 MiB in float64


def as_features(features: Tensor, name: str, at_least: int = 1) -> Tensor:
    """Return features ``(N, D)`` in float64.

    Args:
        features: of clips or frames.
        name: for messages, such as ``"real features"``.
        at_least: rows that the caller needs.

    Raises:
        ValueError: there are not two dimensions, too few rows, or values that are not finite.
    """
    if features.ndim != 2:
        raise ValueError(f"expected {name} (N, D), got shape {tuple(features.shape)}")
    if len(features) < at_least:
        raise ValueError(f"expected at least {at_least} rows of {name}, got {len(features)}; add clips")
    if not torch.isfinite(features).all():
        raise ValueError(f"{name} hold NaN or infinite values; look at the clips and the network they came from")
    return features.double()


def as_two_samples(
    a: Tensor, b: Tensor, names: tuple[str, str] = ("real features", "fake features"), at_least: int = 1
) -> tuple[Tensor, Tensor]:
    """Return two samples of the same features, ``(N, D)`` and ``(M, D)``, in float64.

    Raises:
        ValueError: as :func:`as_features`, or D differs.
    """
    a, b = as_features(a, names[0], at_least), as_features(b, names[1], at_least)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"expected the same D on both sides, got {a.shape[1]} in {names[0]} and {b.shape[1]} in {names[1]}; "
            "take both from one feature network"
        )
    return a, b


def row_blocks(rows: Tensor, num_columns: int) -> Iterator[tuple[int, Tensor]]:
    """Yield first row and rows of blocks that can be compared with `num_columns` other rows at once."""
    size = max(1, BLOCK_ELEMENTS // num_columns)
    yield from zip(range(0, len(rows), size), rows.split(size), strict=True)
