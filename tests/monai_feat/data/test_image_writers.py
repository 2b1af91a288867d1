# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage, SaveImage
from PIL import Image

from monai_feat.data import load_clip, probe_video


def clip(channels: int = 3) -> MetaTensor:
    t, rows, columns = np.mgrid[:5, :12, :16]
    waves = [8 * columns + t, 10 * rows + 2 * t, 200 - 5 * rows - 3 * columns][:channels]
    meta = {"frame_rate": 20.0, "spacing": (0.3, 0.2), "filename_or_obj": "in.mp4"}
    return MetaTensor(torch.from_numpy(np.stack(waves).astype(np.uint8)), meta=meta)


def save(image: torch.Tensor, folder: Path, suffix: str, **options: object) -> None:
    SaveImage(folder, output_ext=suffix, output_postfix="", separate_folder=False, print_log=False, **options)(image)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("channels", [1, 3])
def test_nifti_reads_back_identical_here_and_in_itk(tmp_path: Path, suffix: str, channels: int) -> None:
    save(clip(channels), tmp_path, suffix)
    back = load_clip(tmp_path / f"in{suffix}")
    assert torch.equal(back.as_tensor(), clip(channels).as_tensor())
    assert back.meta["frame_rate"] == pytest.approx(20)
    assert back.meta["spacing"] == pytest.approx((0.3, 0.2))
    if channels == 1:
        itk = pytest.importorskip("itk")
        image = itk.imread(str(tmp_path / f"in{suffix}"))
        assert np.array_equal(itk.array_from_image(image)[:, 0], clip(1)[0].numpy())
        assert list(image.GetSpacing()) == pytest.approx([0.2, 0.3, 1, 0.05])


def test_unknown_rate_and_spacing_stay_unknown(tmp_path: Path) -> None:
    image = clip()
    image.meta.update(frame_rate=0.0, spacing=(float("nan"),) * 2)
    save(image, tmp_path, ".nii")
    back = load_clip(tmp_path / "in.nii")
    assert back.meta["frame_rate"] == 0
    assert np.isnan(back.meta["spacing"]).all()
    with pytest.raises(RuntimeError, match="has no frame rate"):
        save(image, tmp_path, ".mp4")


def test_video_and_frames(tmp_path: Path) -> None:
    save(clip().float(), tmp_path, ".mp4")
    assert probe_video(tmp_path / "in.mp4").frame_rate == pytest.approx(20)
    assert (load_clip(tmp_path / "in.mp4").as_tensor().float() - clip().as_tensor()).abs().mean() < 4
    save(clip(1) / 255, tmp_path, ".gif", scale=255)
    assert torch.equal(LoadImage(dtype=None)(tmp_path / "in.gif")[:1].as_tensor(), clip(1).as_tensor())
    for _ in range(2):
        save(clip(), tmp_path, ".png")
    assert [path.name for path in sorted((tmp_path / "in").iterdir())] == [f"{t:06d}.png" for t in range(5)]
    assert torch.equal(load_clip(tmp_path / "in").as_tensor(), clip().as_tensor())
    with Image.open(tmp_path / "in" / "000003.png") as picture:
        assert np.array_equal(np.asarray(picture), clip()[:, 3].permute(1, 2, 0).numpy())
    (tmp_path / "in" / "notes.txt").touch()
    with pytest.raises(RuntimeError, match="holds other things than frames"):
        save(clip(), tmp_path, ".png")


def test_other_tensors_go_to_monai(tmp_path: Path) -> None:
    volume = MetaTensor(torch.rand(1, 4, 5, 6), meta={"filename_or_obj": "volume"})
    save(volume, tmp_path, ".nii.gz")
    assert np.allclose(nib.load(tmp_path / "volume.nii.gz").get_fdata(), volume[0].numpy())
    save(MetaTensor(torch.rand(1, 8, 9), meta={"filename_or_obj": "slice"}), tmp_path, ".png", scale=255)
    assert (tmp_path / "slice.png").is_file()


def test_pixels_that_would_not_be_kept_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="expected whole numbers from 0 to 255"):
        save(clip().float() / 255, tmp_path, ".mp4")
    with pytest.raises(RuntimeError, match="frame_rate among write_kwargs"):
        save(clip().as_tensor(), tmp_path, ".mp4")
