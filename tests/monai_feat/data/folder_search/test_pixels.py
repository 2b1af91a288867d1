# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from monai_feat.data import PhantomDataset, open_clip
from monai_feat.data.folder_search.pixels import find_masks_by_pixels, looks_like_mask
from tests.monai_feat.data.folder_search import layouts


def tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.atleast_3d(pixels)).permute(2, 0, 1)


def as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def test_masks_of_all_kinds_look_like_masks() -> None:
    for values in ((0, 1), (0, 255), (0, 1, 255), range(20)):
        assert looks_like_mask(tensor(layouts.mask(1, values)))
    coloured = np.stack([layouts.mask(1, (0, 127)), layouts.mask(2, (0, 255)), layouts.mask(3, (0, 60))], -1)
    assert looks_like_mask(tensor(coloured))
    assert looks_like_mask(tensor(as_jpeg(layouts.mask(1, (0, 255), 256), 75)))


@pytest.mark.parametrize("kind", ["ultrasound", "endoscopy"])
def test_pictures_do_not(kind: str) -> None:
    clip = PhantomDataset(kind, 1, size=64, num_frames=1).clip(0)
    assert looks_like_mask(clip.image[:, 0]) is False
    assert looks_like_mask(clip.mask[:, 0])
    assert looks_like_mask(tensor(layouts.picture())) is False
    assert looks_like_mask(torch.zeros(3, 32, 32, dtype=torch.uint8)) is None


def test_real_pictures_and_masks_are_told_apart(shared_data: Path) -> None:
    clips = ("ultrasound_video/lung/Reg_pat1Image_133410.mpeg", "endoscopy_video/larynx_v2_raw.gif")
    for name in (*clips, "dicom/NwirePhantomFreehand.igs.mha"):
        assert looks_like_mask(open_clip(shared_data / name).read(0, 1)[:, 0]) is False
    for folder, expected in (("images", False), ("masks", True)):
        for path in sorted((shared_data / "polyp_seg" / folder).iterdir())[::50]:
            assert looks_like_mask(open_clip(path).read(0, 1)[:, 0]) is expected, path.name


def test_a_group_is_masks_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    masks = [layouts.save(tmp_path / f"m{i}.png", layouts.mask(i)) for i in range(4)]
    empty = layouts.save(tmp_path / "e.png", np.zeros((48, 48), np.uint8))
    picture = layouts.save(tmp_path / "p.png", layouts.picture())
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert find_masks_by_pixels({Path("a"): [*masks, empty]}) == {*masks, empty}
    assert not find_masks_by_pixels({Path("a"): [masks[0], picture]})
    assert not find_masks_by_pixels({Path("a"): [tmp_path / "broken.png"]})
