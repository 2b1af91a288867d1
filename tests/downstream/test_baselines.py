# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Trivial predictions."""

from __future__ import annotations

import pytest
import torch

from downstream.baselines import BASELINES, centred_disc, empty_mask


def square(side: int, label: int = 1) -> torch.Tensor:
    mask = torch.zeros(1, 2, 64, 64, dtype=torch.uint8)
    mask[..., :side, :side] = label
    return mask


def test_empty_is_empty() -> None:
    assert not empty_mask((1, 2, 8, 8), [square(8)]).any()


def test_the_disc_is_as_large_as_structures_are_and_in_the_middle() -> None:
    """Squares of 16 and 24 pixels: 416 pixels on average. Frames without a structure do not count."""
    disc = centred_disc((1, 3, 64, 64), [square(16), square(24), square(0)])
    assert disc.dtype == torch.uint8
    assert disc[0, 0].sum() == pytest.approx(416, rel=0.05)
    assert torch.equal(disc, disc.flip(-1))
    assert torch.equal(disc, disc.flip(-2))


def test_the_disc_is_of_the_most_frequent_structure() -> None:
    assert set(centred_disc((1, 1, 64, 64), [square(8, 1), square(30, 2)]).unique().tolist()) == {0, 2}


def test_there_is_no_disc_without_structures() -> None:
    assert not centred_disc((1, 1, 64, 64), [square(0)]).any()


def test_both_have_names() -> None:
    assert list(BASELINES) == ["always empty", "always centre"]
