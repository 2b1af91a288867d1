# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import cast

import pytest
import torch

from monai_feat.conditions import MaskCondition, MaskEmbedding
from monai_feat.conditions.condition import Draws
from monai_feat.transforms import UNKNOWN_LABEL
from tests.monai_feat.conditions.blocks import randomised

SIZE = (5, 4, 6)


def test_masks_of_any_size_count_by_area() -> None:
    block = randomised(MaskEmbedding(2, 8, 2))
    coarse = torch.randint(0, 2, (1, 1, *SIZE))
    fine = coarse.repeat_interleave(8, dim=3).repeat_interleave(8, dim=4)
    torch.testing.assert_close(block(fine, SIZE), block(coarse, SIZE))


def test_unlabelled_pixels_of_a_batch_are_none() -> None:
    batch = {"label": torch.tensor([0, 1, UNKNOWN_LABEL], dtype=torch.uint8).reshape(1, 1, 1, 1, 3)}
    values = MaskCondition().training_values(batch, torch.zeros(1, 4, 1, 1, 3), cast("Draws", None))  # draws nothing
    assert values.flatten().tolist() == [0, 1, -1]


def test_masks_that_are_no_multiple_of_the_latents_are_refused() -> None:
    with pytest.raises(ValueError, match=r"label: got masks .* a multiple of the latents', 4×6"):
        MaskCondition().check_shape(torch.zeros(2, 1, 5, 8, 13), (2, 4, *SIZE))
