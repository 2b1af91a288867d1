# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.conditions import FirstFramesCondition, FirstFramesEmbedding
from tests.monai_feat.conditions.blocks import randomised

SIZE = (5, 4, 6)


def test_first_frames_are_drawn_evenly_and_as_they_are() -> None:
    latents = torch.randn(300, 4, 5, 4, 6)
    drawn = FirstFramesCondition(max_frames=3).draw(latents, torch.rand(300))
    assert drawn.shape == (300, 4, 3, 4, 6)
    given = (drawn != -1).all(dim=(1, 3, 4))
    assert torch.equal(given, given.cummin(dim=1).values)  # only ever the first
    assert torch.equal(drawn[given.nonzero(as_tuple=True)[0], :, given.nonzero(as_tuple=True)[1]],
                       latents[given.nonzero(as_tuple=True)[0], :, given.nonzero(as_tuple=True)[1]])  # fmt: skip
    shares = torch.bincount(given.sum(dim=1), minlength=4) / 300
    torch.testing.assert_close(shares, torch.tensor([0, 1 / 3, 1 / 3, 1 / 3]), atol=0.08, rtol=0)
    assert FirstFramesCondition(max_frames=9).draw(latents, torch.rand(300)).shape[2] == 5


def test_a_frame_of_none_is_as_good_as_one_that_is_not_given() -> None:
    block, frames = randomised(FirstFramesEmbedding(4, 8, 2)), torch.randn(1, 4, 3, 4, 6)
    frames[:, :, 1:] = -1
    torch.testing.assert_close(block(frames, SIZE), block(frames[:, :, :1], SIZE))


def test_more_frames_than_the_clip_has_are_refused() -> None:
    condition = FirstFramesCondition(max_frames=3)
    condition.check_shape(torch.zeros(2, 4, 2, 4, 6), (2, 4, *SIZE))
    with pytest.raises(ValueError, match=r"first_frames: got \(2, 4, 3, 4, 6\); it takes latents of 1 to 2 frames"):
        condition.check_shape(torch.zeros(2, 4, 3, 4, 6), (2, 4, 2, 4, 6))
