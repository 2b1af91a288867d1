# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from monai_feat.data import open_clip, write_gif, write_mp4
from monai_feat.data.datalist import ClipItem, Datalist, read_datalist
from monai_feat.doctor.cleaning import clean_datalist
from monai_feat.doctor.identifiers import look_at_metadata
from monai_feat.doctor.pseudonyms import Pseudonyms
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.doctor.identifiers import planted


def only(folder: Path, item: ClipItem) -> ClipItem:
    cleaned = clean_datalist(Datalist((item,)), folder, Pseudonyms(), progress=False)
    assert cleaned.left_out == {}
    return read_datalist(folder / "datalist.json").training[0]


@pytest.mark.parametrize(
    ("name", "suffix", "is_exact"),
    [("dicom name", ".gz", True), ("nifti descrip", ".gz", True), ("metaimage key", ".gz", True),
     ("jpeg exif", ".png", True), ("gif comment", ".mp4", False), ("mp4 title", ".mp4", False)],
)  # fmt: skip
def test_pixels_rate_and_spacing_are_kept_and_nothing_else(
    tmp_path: Path, name: str, suffix: str, is_exact: bool
) -> None:
    source = open_clip(planted.plant(tmp_path / "in", name))
    item = only(tmp_path / "out", ClipItem(Path(source.path), group="p1", category="ill", fold=2))
    copy = open_clip(item.image)
    assert item.image.suffix == suffix
    assert (copy.frames, copy.size) == (source.frames, source.size)
    assert copy.frame_rate == pytest.approx(source.frame_rate, rel=1e-3)
    known = [step for step in source.spacing if step == step]
    assert list(copy.spacing)[: len(known)] == pytest.approx(known)
    difference = (copy.read().float() - source.read().float()).abs()
    assert difference.max() == 0 if is_exact else difference.mean() < 6
    assert look_at_metadata([item.image]).found == ()
    assert (item.category, item.fold) == ("ill", 2)
    assert "p1" not in item.group


def test_frames_and_masks_stay_exact_and_paired(tmp_path: Path) -> None:
    layouts.cholecseg8k(tmp_path / "in")
    folder = tmp_path / "in/video01/video01_00080"
    item = only(tmp_path / "out", ClipItem(folder / "frame_%d_endo.png", folder / "frame_%d_endo_watershed_mask.png"))
    assert item.label is not None
    for copy, source in ((item.image, "frame_%d_endo.png"), (item.label, "frame_%d_endo_watershed_mask.png")):
        assert torch.equal(open_clip(copy).read(), open_clip(folder / source).read())
    assert item.image.name == item.label.name


def test_text_is_black_in_all_frames_and_the_rest_stays(tmp_path: Path) -> None:
    path = planted.plant(tmp_path / "in", "burnt in")
    source = open_clip(path).read()
    cleaned = clean_datalist(Datalist((ClipItem(path),)), tmp_path / "out", Pseudonyms(), progress=False)
    assert list(cleaned.masked.values()) == [1]
    copy = open_clip(cleaned.datalist.training[0].image).read()
    assert (source[:, :, 10:26, 8:150].amax((0, 1)) > 240).any()
    assert copy[:, :, 10:26, 10:150].amax() < 160
    assert (copy[:, :, 60:].float() - source[:, :, 60:].float()).abs().mean() < 3


def test_odd_sizes_are_not_padded(tmp_path: Path) -> None:
    layouts.frames(tmp_path / "in", [f"{i}.png" for i in range(3)])
    pixels = torch.from_numpy(np.stack([layouts.picture(t, 51) for t in range(4)])).permute(3, 0, 1, 2)
    write_gif(pixels, tmp_path / "odd.gif", 10)
    item = only(tmp_path / "out", ClipItem(tmp_path / "odd.gif"))
    assert open_clip(item.image).size == (51, 51)
    assert item.image.name.endswith(".nii.gz")


def test_a_bad_clip_is_named_and_the_others_are_copied(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    good = layouts.save(tmp_path / "good.png", layouts.picture())
    listed = Datalist((ClipItem(tmp_path / "bad.mp4"),), (ClipItem(good, group="p"),))
    cleaned = clean_datalist(listed, tmp_path / "out", Pseudonyms(), progress=False)
    assert len(cleaned.datalist.testing) == 1
    assert len(cleaned.left_out) == 1
    with pytest.raises(FileExistsError, match="expected a new or empty folder"):
        clean_datalist(listed, tmp_path / "out", Pseudonyms(), progress=False)


def test_long_videos_are_written_frame_by_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = torch.from_numpy(planted.moving(40)).permute(3, 0, 1, 2)
    write_mp4(pixels, tmp_path / "a.mp4", 10)
    monkeypatch.setattr("monai_feat.data.readers.clip_file.ClipFile.read", None)  # reads a clip as a whole
    item = only(tmp_path / "out", ClipItem(tmp_path / "a.mp4"))
    assert open_clip(item.image).frames == 40
