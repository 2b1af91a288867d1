# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.data import VideoReadError, load_clip
from monai_feat.data.readers.load import open_clip
from monai_feat.data.readers.picture_pixels import Depth, depth_of, stored_values, with_three_colours

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def test_grey_and_transparent_pictures(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([RAMP, RAMP, RAMP, np.full_like(RAMP, 51)])).save(tmp_path / "alpha.png")
    Image.fromarray(np.dstack([RAMP, np.full_like(RAMP, 51)])).save(tmp_path / "grey_alpha.png")
    assert torch.equal(load_clip(tmp_path / "grey.png").as_tensor()[1, 0], torch.from_numpy(RAMP))
    for name in ("alpha.png", "grey_alpha.png"):
        assert (load_clip(tmp_path / name).as_tensor()[0, 0] - torch.from_numpy(RAMP) / 5).abs().max() <= 0.5


def test_transparent_palette_is_shown_on_black(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [1, 2]], dtype=np.uint8), mode="P")
    image.putpalette([250, 0, 0, 0, 250, 0, 0, 0, 250])
    image.save(tmp_path / "a.png", transparency=0)
    shown = load_clip(tmp_path / "a.png")[:, 0].flatten(1).T.tolist()
    assert shown == [[0, 0, 0], [0, 250, 0], [0, 250, 0], [0, 0, 250]]


@pytest.mark.parametrize(("dtype", "said"), [(np.float32, "floating-point"), (np.int32, "whole numbers of 32 bits")])
def test_other_numbers_are_refused_for_what_they_are(tmp_path: Path, dtype: type, said: str) -> None:
    Image.fromarray(RAMP.astype(dtype)).save(tmp_path / "a.tif")
    with pytest.raises(VideoReadError, match=f"holds {said}"):
        load_clip(tmp_path / "a.tif")
    (values,) = open_clip(tmp_path / "a.tif").iter_values([0])
    assert torch.equal(values[0], torch.from_numpy(RAMP).int())


def test_numbers_of_a_palette_are_kept_and_grey_ones_that_fall_are_levels() -> None:
    numbers = np.array([[0, 1, 2]], np.uint8)
    for palette, values in (([0, 0, 0, 200, 0, 0, 0, 200, 0], [0, 1, 2]), ([9] * 3 + [99] * 3 + [20] * 3, [9, 99, 20])):
        picture = Image.fromarray(numbers, "P")
        picture.putpalette(palette)
        assert stored_values("a", picture)[0, 0].tolist() == values


def test_the_depth_is_that_of_the_file(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    Image.new("I;16", (4, 4)).save(tmp_path / "b.tif", tiffinfo={281: 4095})
    Image.new("F", (4, 4)).save(tmp_path / "c.tif")
    found = []
    for name in ("a.png", "b.tif", "c.tif"):
        with Image.open(tmp_path / name) as picture:
            found.append(depth_of(picture))
    assert found == [Depth(8), Depth(16, 4095), Depth(32)]
    with pytest.raises(VideoReadError, match="floating-point"):
        with_three_colours("c", Image.new("F", (4, 4)), found[2])
