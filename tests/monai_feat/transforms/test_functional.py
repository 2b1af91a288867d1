# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.transforms.functional import (
    black_level,
    resize_clip,
    rgb_to_grey,
    to_channels,
    to_levels,
    to_uint8,
    to_unit_range,
)


def test_unit_range_and_back_is_exact_for_every_level() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(to_unit_range(levels)), levels)
    assert to_unit_range(levels).aminmax() == (-1.0, 1.0)


def test_to_uint8_rounds_and_clips() -> None:
    assert to_uint8(torch.tensor([-3.0, 0.9999, 3.0])).tolist() == [0, 255, 255]


def test_types_and_nan_are_refused() -> None:
    with pytest.raises(TypeError, match="uint8"):
        to_unit_range(torch.zeros(2))
    with pytest.raises(TypeError, match="float"):
        to_uint8(torch.zeros(2, dtype=torch.uint8))
    with pytest.raises(ValueError, match="NaN in 1 of 2"):
        to_uint8(torch.tensor([0.0, torch.nan]))


def test_grey_agrees_with_pillow() -> None:
    rgb = torch.randint(0, 256, (3, 2, 9, 11), dtype=torch.uint8)
    for t in range(2):
        expected = np.asarray(Image.fromarray(rgb[:, t].permute(1, 2, 0).numpy()).convert("L"))
        assert np.abs(rgb_to_grey(rgb)[0, t].int().numpy() - expected).max() <= 1
    with pytest.raises(ValueError, match="3 channels"):
        rgb_to_grey(rgb[:1])


def test_levels_are_those_of_either_type() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    for pixels in (levels, to_unit_range(levels), to_unit_range(levels).double()):
        torch.testing.assert_close(to_levels(pixels), levels.float(), atol=1e-4, rtol=0)
        assert to_levels(pixels, torch.float64).dtype == torch.float64
        assert to_levels(torch.full((1,), black_level(pixels), dtype=pixels.dtype)).item() == 0


def test_channels_are_those_asked_for() -> None:
    rgb = torch.randint(0, 256, (3, 2, 4, 5), dtype=torch.uint8)
    grey = rgb_to_grey(rgb)
    assert to_channels(rgb, 3) is rgb
    assert torch.equal(to_channels(rgb, 1), grey)
    assert torch.equal(to_channels(grey, 3), torch.cat([grey, grey, grey]))
    assert to_channels(grey[:, 0], 1).shape == (1, 4, 5)


@pytest.mark.parametrize("size", [(15, 20), (90, 120)])
def test_resize_agrees_with_pillow(size: tuple[int, int]) -> None:
    frame = torch.randint(0, 256, (45, 60), dtype=torch.uint8)
    expected = np.asarray(Image.fromarray(frame.numpy()).resize(size[::-1], Image.Resampling.BILINEAR), dtype=int)
    assert np.abs(resize_clip(frame[None, None], size)[0, 0].numpy() - expected).max() <= 1


def test_crop_keeps_the_centre_and_pad_keeps_everything() -> None:
    clip = torch.zeros(1, 2, 40, 80, dtype=torch.uint8)
    clip[..., 20:60] = 200  # the central square
    assert (resize_clip(clip, 20, "crop")[..., 1:-1] == 200).all()
    padded = resize_clip(clip, 20, "pad")
    assert padded.shape == (1, 2, 20, 20)
    assert (padded[..., :5, :] == 0).all()
    assert (padded[..., 15:, :] == 0).all()
    assert (padded[..., 5:15, 8:12] == 200).all()
    assert resize_clip(clip.float() / 100 - 1, 20, "pad")[0, 0, 0, 0] == -1


def test_same_size_is_untouched_and_constants_stay() -> None:
    clip = torch.randint(0, 256, (3, 2, 8, 6), dtype=torch.uint8)
    assert torch.equal(resize_clip(clip, (8, 6)), clip)
    assert (resize_clip(torch.full((3, 1, 31, 47), 77, dtype=torch.uint8), 16) == 77).all()


def test_downsampling_does_not_alias() -> None:
    stripes = (torch.arange(64) % 2 * 255).to(torch.uint8).expand(1, 1, 64, 64)
    assert (resize_clip(stripes, 16).int() - 127).abs()[..., 1:-1].max() <= 8


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="'stretch'"):
        resize_clip(torch.zeros(1, 1, 4, 4), 2, "stretch")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size >= 1"):
        resize_clip(torch.zeros(1, 1, 4, 4), 0)
