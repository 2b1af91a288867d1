# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.visualize.contact_sheet import contact_sheet, save_contact_sheet


def test_frames_stand_where_they_belong(tmp_path: Path) -> None:
    # Two clips of four frames; each frame is one level of grey, known by clip and time.
    clips = (40 * torch.arange(2)[:, None] + 10 * torch.arange(4) + 20).to(torch.uint8)
    clips = clips[:, None, :, None, None].expand(2, 1, 4, 16, 16)
    save_contact_sheet({"Real": clips}, tmp_path / "sheet.png", num_columns=4, tile=100)
    with Image.open(tmp_path / "sheet.png") as image:
        sheet = np.asarray(image)
    assert np.array_equal(sheet, contact_sheet({"Real": clips}, num_columns=4, tile=100).numpy())
    for i in range(2):
        for j in range(4):
            level = 40 * i + 10 * j + 20
            rows, columns, _ = np.nonzero(sheet == level)
            middle = sheet[28 + 46 + 108 * i + 50, 28 + 104 * j + 50]
            assert middle.tolist() == [level] * 3
            assert rows.size >= 100 * 100 * 3 * 0.99
            assert columns.size == rows.size


def test_first_and_last_frame_are_shown() -> None:
    clip = torch.arange(0, 160, 10, dtype=torch.uint8)[None, :, None, None].expand(3, 16, 8, 8)
    shown = set(contact_sheet({"Clip": clip}, num_columns=3, tile=64)[100].flatten().tolist())
    assert {0, 150} <= shown
    assert 10 not in shown


def test_floats_and_bytes_look_the_same_and_border_is_white() -> None:
    clip = torch.randint(0, 256, (2, 3, 4, 8, 8), dtype=torch.uint8)
    sheet = contact_sheet({"A": clip, "B": clip[0]}, tile=32)
    assert torch.equal(sheet, contact_sheet({"A": clip / 127.5 - 1, "B": clip[0] / 127.5 - 1}, tile=32))
    assert sheet.dtype == torch.uint8
    assert (sheet[:20] == 255).all()
    assert (sheet[:, :20] == 255).all()
    assert (sheet[28:60] < 100).any()


def test_stills_are_set_side_by_side() -> None:
    stills = torch.zeros(10, 3, 1, 8, 8)
    assert contact_sheet({"Stills": stills}, num_columns=8, tile=50).shape[:2] == (56 + 46 + 108, 56 + 8 * 54 - 4)


def test_wrong_clips_are_named() -> None:
    with pytest.raises(ValueError, match="at least one section"):
        contact_sheet({})
    with pytest.raises(ValueError, match=r"'Sampled': .* got \(3, 8, 8\)"):
        contact_sheet({"Sampled": torch.zeros(3, 8, 8)})
    with pytest.raises(ValueError, match="NaN"):
        contact_sheet({"Sampled": torch.full((3, 2, 8, 8), torch.nan)})


def test_masks_are_outlined_in_their_section_only() -> None:
    clips, masks = torch.full((1, 1, 2, 16, 16), 90, dtype=torch.uint8), torch.zeros(1, 1, 2, 16, 16, dtype=torch.uint8)
    masks[..., 4:12, 4:12] = 1
    rows = {"a": clips, "b": clips}
    plain, outlined = contact_sheet(rows, tile=64), contact_sheet(rows, tile=64, masks={"b": masks})
    changed = (plain != outlined).any(-1)
    assert changed.sum() == 2 * (32**2 - 30**2)  # the mask is enlarged four times, and its border is a pixel wide
    assert not changed[: changed.shape[0] // 2].any()
    assert torch.equal(contact_sheet(rows, masks={}), contact_sheet(rows))


def test_masks_that_fit_no_section_are_errors() -> None:
    clips = torch.zeros(1, 1, 2, 16, 16, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"masks, but no clips, for \['b'\]"):
        contact_sheet({"a": clips}, masks={"b": clips})
    with pytest.raises(
        ValueError, match=r"masks of whole numbers \(1, 1, 2, 16, 16\), got torch.uint8 \(1, 1, 2, 8, 16\)"
    ):
        contact_sheet({"a": clips}, masks={"a": clips[..., :8, :]})
