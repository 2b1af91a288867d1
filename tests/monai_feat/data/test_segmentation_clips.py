# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.data import SegmentationClips, write_mp4, write_phantoms
from monai_feat.data import segmentation_clips as module
from monai_feat.data.datalist import DatalistError, read_datalist

Items = list[dict[str, object]]


def still(folder: Path, name: str, values: object) -> Path:
    Image.fromarray(np.asarray(values, np.uint8)).save(folder / name)
    return folder / name


@pytest.fixture
def items(tmp_path: Path) -> Items:
    """A grey still of 8 x 16 pixels and a phantom of three frames."""
    picture = np.zeros((8, 16, 3))
    picture[:, 8:] = 200
    stills: Items = [
        {"image": still(tmp_path, "a.png", picture), "label": still(tmp_path, "a_mask.png", picture[..., 0] > 0)}
    ]
    write_phantoms("ultrasound", tmp_path / "set", 1, 1, 32, num_frames=3, num_folds=1, test_share=0, progress=False)
    (clip,) = read_datalist(tmp_path / "set" / "datalist.json").training
    return [*stills, {"image": str(clip.image), "label": str(clip.label), "fold": 0}]


def test_stills_and_clips_become_squares_with_masks(items: Items) -> None:
    clips = SegmentationClips(items, size=16, channels=3)
    still, clip = clips[0], clips[1]
    assert (still["image"].shape, still["label"].shape) == ((3, 1, 16, 16), (1, 1, 16, 16))
    assert (clip["image"].shape, clip["label"].shape) == ((3, 3, 16, 16), (1, 3, 16, 16))
    assert still["label"][0, 0, 4:12, 8:].all()
    assert still["label"].sum() == 8 * 8
    torch.testing.assert_close(still["image"][0] > 0, still["label"][0].bool())
    assert clips.frames == [1, 3]
    assert SegmentationClips(items, size=16, channels=1)[1]["image"].shape == (1, 3, 16, 16)


def test_what_does_not_fit_into_memory_is_decoded_again(items: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = SegmentationClips(items, size=16, channels=1)
    monkeypatch.setattr(module, "_MEMORY", 600)
    decoded = SegmentationClips(items, size=16, channels=1)
    for start, length in ((0, 3), (1, 2), (2, 4)):
        for one, other in zip(kept.window(1, start, length), decoded.window(1, start, length), strict=True):
            assert one is not None
            assert other is not None
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    long, _ = kept.window(1, 0, 5)
    torch.testing.assert_close(long[:, [3, 4]], long[:, [1, 0]])


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path, items: Items) -> None:
    image = items[0]["image"]
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    write_mp4(torch.zeros(3, 2, 8, 16, dtype=torch.uint8), tmp_path / "two.mp4", 8.0)
    bad: Items = [
        {"image": tmp_path / "missing.mp4", "label": tmp_path / "missing.png"},
        {"image": tmp_path / "broken.mp4", "label": image},
        {"image": image, "label": still(tmp_path, "size.png", np.zeros((8, 8)))},
        {"image": tmp_path / "two.mp4", "label": still(tmp_path, "short.png", np.zeros((8, 16)))},
        {"image": image, "label": still(tmp_path, "class.png", np.full((8, 16), 5))},
        {"image": image},
    ]
    with pytest.raises(DatalistError) as error:
        SegmentationClips([*items, *bad], size=16, channels=1, num_classes=3)
    message = str(error.value)
    assert "6 of 8 clips cannot be used" in message
    for word in ("missing.mp4", "broken.mp4", "size.png", "short.png", "holds the value 5", "no path under 'label'"):
        assert word in message


def test_clips_without_masks(items: Items) -> None:
    clips = SegmentationClips([{"image": item["image"]} for item in items], size=16, channels=1, num_classes=0)
    assert "label" not in clips[0]
    assert clips.window(0, 0, 1)[1] is None


def test_bad_settings_are_refused(items: Items) -> None:
    with pytest.raises(ValueError, match="1 or 3 channels"):
        SegmentationClips(items, size=16, channels=2)
    with pytest.raises(ValueError, match="label_channels from 2"):
        SegmentationClips(items, size=16, channels=1, num_classes=1)
