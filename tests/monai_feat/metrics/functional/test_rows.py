# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.metrics.functional import rows


@pytest.mark.parametrize("num_columns", [1, 3, 10, 1000])
def test_blocks_are_bounded_and_make_up_the_whole(num_columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_ELEMENTS", 10)
    whole = torch.arange(14.0).reshape(7, 2)
    blocks = list(rows.row_blocks(whole, num_columns))
    assert torch.equal(torch.cat([block for _, block in blocks]), whole)
    assert [start for start, _ in blocks] == [int(block[0, 0]) // 2 for _, block in blocks]
    assert all(len(block) == 1 or len(block) * num_columns <= 10 for _, block in blocks)


def test_features_become_float64() -> None:
    assert rows.as_features(torch.zeros(2, 3), "features").dtype == torch.float64
