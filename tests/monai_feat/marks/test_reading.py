# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import av
import nibabel as nib
import pytest
import torch
from PIL import Image

from monai_feat.bundle import SampleFolder
from monai_feat.data import load_clip
from monai_feat.data.image_writers import FramesWriter
from monai_feat.marks import find_mark, make_statement

CLIP = torch.linspace(-1, 1, 3 * 2 * 32 * 32).reshape(3, 2, 32, 32)


@pytest.mark.parametrize("file_format", ["mp4", "gif", "nifti", "latents"])
def test_what_is_sampled_is_told_from_what_is_not_and_has_the_same_content(tmp_path: Path, file_format: str) -> None:
    marked = SampleFolder(tmp_path / "marked", {}, 8, file_format).write(0, CLIP)
    plain = SampleFolder(tmp_path / "plain", {}, 8, file_format, marked=False).write(0, CLIP)
    mark = find_mark(marked)
    assert mark is not None
    assert mark.generator.startswith("monai-feat ")
    assert find_mark(plain) is None
    if file_format != "latents":
        assert torch.equal(load_clip(marked).as_tensor(), load_clip(plain).as_tensor())
        assert load_clip(marked).meta["frame_rate"] == load_clip(plain).meta["frame_rate"]
    with pytest.raises(FileExistsError, match="marked: True there, False now"):
        SampleFolder(tmp_path / "marked", {}, 8, file_format, marked=False)


def test_other_programs_read_the_statement(tmp_path: Path) -> None:
    files = {name: SampleFolder(tmp_path / name, {}, 8, name).write(0, CLIP) for name in ("mp4", "gif", "nifti")}
    with av.open(str(files["mp4"])) as container:
        assert container.metadata["comment"] == make_statement()
    with Image.open(files["gif"]) as picture:
        assert picture.info["comment"].decode() == make_statement()
        assert picture.n_frames == 2
    (extension,) = nib.load(files["nifti"]).header.extensions
    assert extension.get_code() == 6  # a comment
    assert make_statement() in str(extension.get_content())


def test_masks_and_frames_are_marked_too(tmp_path: Path) -> None:
    folder = SampleFolder(tmp_path, {}, 8, "gif", label_channels=2)
    folder.write(0, torch.cat([CLIP[:1], CLIP[:2]]))
    assert find_mark(folder.label_file(0)) is not None
    writer = FramesWriter()
    writer.set_data_array(torch.zeros(1, 1, 16, 16))
    writer.set_metadata({"frame_rate": 8})
    writer.write(tmp_path / "frames.png", comment=make_statement())
    assert find_mark(tmp_path / "frames" / "000000.png") is not None


def test_a_file_written_anew_has_lost_its_mark(tmp_path: Path) -> None:
    file = SampleFolder(tmp_path, {}, 8, "gif").write(0, CLIP)
    with Image.open(file) as picture:
        picture.convert("RGB").save(tmp_path / "again.png")
    assert find_mark(tmp_path / "again.png") is None


def test_what_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        find_mark(tmp_path / "none.mp4")
    (tmp_path / "text.txt").write_text("")
    with pytest.raises(ValueError, match=r"expected a file of \.mp4, \.gif"):
        find_mark(tmp_path / "text.txt")
    for suffix in (".mp4", ".gif", ".png", ".nii.gz", ".nii", ".safetensors"):
        broken = tmp_path / f"broken{suffix}"
        broken.write_bytes(b"no such thing")
        with pytest.raises(ValueError, match=f"broken{suffix}: cannot be read"):
            find_mark(broken)
