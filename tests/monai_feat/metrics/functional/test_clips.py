# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from skimage.color import rgb2gray

from monai_feat.metrics.functional.clips import check_clips, check_pair, luma


def test_luma_is_that_of_jpeg_and_grey_stays() -> None:
    clips = torch.randint(0, 256, (2, 3, 2, 8, 8), dtype=torch.uint8)
    red, green, blue = clips.double().unbind(1)
    assert (luma(clips)[:, 0] - (0.299 * red + 0.587 * green + 0.114 * blue)).abs().max() <= 0.5
    assert torch.equal(luma(clips[:, :1]), clips[:, :1].float())
    grey = clips[:, :1].expand_as(clips)
    assert abs(luma(grey)[0, 0].numpy() - 255 * rgb2gray(grey[0].numpy(), channel_axis=0)).max() <= 0.5


@pytest.mark.parametrize(
    ("clips", "error", "message"),
    [
        (torch.zeros(3, 4, 8, 8, dtype=torch.uint8), ValueError, r"\(B, C, T, H, W\), got shape \(3, 4, 8, 8\)"),
        (torch.zeros(0, 3, 4, 8, 8, dtype=torch.uint8), ValueError, "got shape"),
        (torch.zeros(1, 3, 4, 8, 8), TypeError, "expected uint8 .* got torch.float32; .*to_uint8"),
        (torch.full((1, 3, 4, 8, 8), torch.nan), TypeError, "expected uint8"),
        (torch.zeros(1, 2, 4, 8, 8, dtype=torch.uint8), ValueError, "1 or 3 channels"),
        (torch.zeros(1, 3, 1, 8, 8, dtype=torch.uint8), ValueError, "at least 2 frames, got 1"),
        (torch.zeros(1, 3, 4, 8, 4, dtype=torch.uint8), ValueError, "at least 8 x 8 pixels"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_line(clips: torch.Tensor, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        check_clips(clips, min_frames=2, min_side=8)
    assert "\n" not in str(raised.value)


def test_pairs_must_have_one_shape() -> None:
    clips = torch.zeros(1, 3, 4, 8, 8, dtype=torch.uint8)
    check_pair(clips, clips)
    with pytest.raises(ValueError, match="of one shape"):
        check_pair(clips, clips[:, :, :2])
