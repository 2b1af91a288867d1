# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.transforms import LoadImaged
from torch.nn import functional as F

from monai_feat.data import VideoReader, write_mp4
from monai_feat.transforms import SquareFramesd, UnsquareClassesd, rgb_to_grey, square_frames, unsquare_classes


@pytest.mark.parametrize("size", [(48, 80), (80, 48), (64, 64), (45, 101)])
def test_classes_come_back_where_they_were(size: tuple[int, int]) -> None:
    height, width = size
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    inside = ((rows - 0.4 * height) / (0.2 * height)) ** 2 + ((columns - 0.6 * width) / (0.15 * width)) ** 2 < 1
    frames = (255 * inside.byte()).expand(1, 2, height, width)
    squares = square_frames(frames, 64, 1)
    assert squares.shape == (1, 2, 64, 64)
    found = unsquare_classes(F.one_hot((squares[0] > 127).long(), 2).movedim(-1, 0).float(), size)
    assert (found.shape, found.dtype) == ((1, 2, height, width), torch.uint8)
    overlap = 2 * (found[0, 0].bool() & inside).sum() / (found[0, 0].sum() + inside.sum())
    assert overlap > 0.9
    shift = found[0, 0].nonzero().double().mean(0) - inside.nonzero().double().mean(0)
    assert shift.abs().max() < 0.4 * max(size) / 64  # pixels of the square


def test_channels_are_what_was_asked_for() -> None:
    colour = torch.randint(0, 256, (3, 2, 32, 32), dtype=torch.uint8)
    assert torch.equal(square_frames(colour, 32, 1), rgb_to_grey(colour))
    assert torch.equal(square_frames(colour[:1], 32, 3), colour[:1].expand(3, -1, -1, -1))
    assert square_frames(colour[:, 0], 16, 3).shape == (3, 16, 16)


def test_items_keep_their_metadata(tmp_path: Path) -> None:
    write_mp4(torch.randint(0, 256, (3, 4, 24, 40), dtype=torch.uint8), tmp_path / "a.mp4", 8.0)
    item = LoadImaged("image", reader=VideoReader(), dtype=None)({"image": str(tmp_path / "a.mp4")})
    item = SquareFramesd("image", size=32, channels=1)(item)
    assert (item["image"].shape, item["image"].dtype) == ((1, 4, 32, 32), torch.float32)
    assert item["image"].min() == -1
    item["pred"] = torch.stack([torch.zeros(4, 32, 32), torch.ones(4, 32, 32)])
    mask = UnsquareClassesd("pred")(item)["pred"]
    assert mask.shape == (1, 4, 24, 40)
    assert mask.all()
    assert mask.meta["frame_rate"] == 8
    torch.testing.assert_close(mask.affine, torch.eye(4, dtype=mask.affine.dtype))


def test_a_clip_without_its_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="'image' does not say what shape the clip had"):
        UnsquareClassesd("pred")({"image": torch.zeros(1, 1, 32, 32), "pred": torch.zeros(2, 1, 32, 32)})


def test_a_still_becomes_a_clip_of_one_frame_and_its_mask_a_still() -> None:
    item = SquareFramesd("image", size=32, channels=3)({"image": torch.zeros(1, 20, 40, dtype=torch.uint8)})
    assert item["image"].shape == (3, 1, 32, 32)
    item["pred"] = torch.stack([torch.zeros(1, 32, 32), torch.ones(1, 32, 32)])
    mask = UnsquareClassesd("pred")(item)["pred"]
    assert mask.shape == (1, 20, 40)
    assert mask.all()
