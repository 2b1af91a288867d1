# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_feat.data.readers.frame_folder import FrameFolder, is_frame_folder, list_stills, natural_key
from monai_feat.data.video_reader import VideoReadError


def stills(folder: Path, *names: str) -> Path:
    """Each picture is as bright as its place in the arguments, times 20."""
    for i, name in enumerate(names):
        Image.fromarray(np.full((4, 6, 3), 20 * i, np.uint8)).save(folder / name)
    return folder


def test_numbers_count_and_zeros_do_not() -> None:
    names = ["f10.png", "f9.png", "F1.png", "f002.png", "a.png", "10.png", "9.png"]
    assert sorted(names, key=natural_key) == ["9.png", "10.png", "a.png", "F1.png", "f002.png", "f9.png", "f10.png"]


def test_frames_come_in_order_without_hidden_files(tmp_path: Path) -> None:
    stills(tmp_path, "f10.png", "f9.bmp", "f008.tif", ".f7.png")
    (tmp_path / "notes.txt").touch()
    clip = FrameFolder(tmp_path)
    assert [path.name for path in list_stills(tmp_path)] == ["f008.tif", "f9.bmp", "f10.png"]
    assert (clip.frames, clip.frame_rate, clip.size) == (3, 0.0, (4, 6))
    assert clip.read()[0, :, 0, 0].tolist() == [40, 20, 0]


@pytest.mark.parametrize(
    ("names", "is_clip"),
    [
        (("f9.png", "f10.png", "f11.png"), True),
        (("a1_t1.png", "a1_t2.png"), True),
        (("f1.png", "f3.png"), False),
        (("a1_t1.png", "a2_t2.png"), False),
        (("left.png", "right.png"), False),
        (("f1.png",), False),
    ],
)
def test_frames_are_told_from_a_collection(tmp_path: Path, names: tuple[str, ...], is_clip: bool) -> None:
    assert is_frame_folder(stills(tmp_path, *names)) == is_clip
    (tmp_path / "notes.txt").touch()
    assert not is_frame_folder(tmp_path)


def test_what_is_no_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoReadError, match="without frames; looked for"):
        FrameFolder(tmp_path)
    stills(tmp_path, "1.png", "2.png")
    Image.new("RGB", (5, 4)).save(tmp_path / "2.png")
    with pytest.raises(VideoReadError, match=r"2\.png: has 4 x 5 pixels, the first frame 4 x 6"):
        FrameFolder(tmp_path).read()
