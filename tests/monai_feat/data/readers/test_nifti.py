# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from monai_feat.data.readers import NiftiFile, load_clip
from monai_feat.data.video_reader import VideoReadError


def frames(length: int = 5) -> np.ndarray:
    t, rows, columns = np.mgrid[:length, :12, :16]
    return (8 * columns + 5 * rows + t).astype(np.uint8)


def save(path: Path, array: np.ndarray, zooms: tuple[float, ...], units: tuple[str, str] | None = None) -> Path:
    image = nib.Nifti1Image(array, np.diag([*zooms[:3], 1.0]))
    image.header.set_zooms(zooms[: array.ndim])
    if units:
        image.header.set_xyzt_units(*units)
    nib.save(image, path)
    return path


def test_frames_on_the_third_axis_have_no_rate(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", frames().transpose(2, 1, 0), (0.2, 0.3, 7.0), ("mm", "sec"))
    clip = load_clip(path, 1, 2, 2)
    assert np.array_equal(clip[0].numpy(), frames()[1::2])
    assert clip.meta["frame_rate"] == 0
    assert clip.meta["spacing"] == pytest.approx((0.3, 0.2))


@pytest.mark.parametrize(("step", "unit"), [(0.05, "sec"), (50, "msec"), (20, "hz"), (0.05, "unknown")])
def test_frames_on_the_fourth_axis_have_one(tmp_path: Path, step: float, unit: str) -> None:
    array = frames().transpose(2, 1, 0)[:, :, None]
    clip = load_clip(save(tmp_path / "a.nii", array, (200.0, 300.0, 1.0, step), ("micron", unit)))
    assert np.array_equal(clip[0].numpy(), frames())
    assert clip.meta["frame_rate"] == pytest.approx(20)
    assert clip.meta["spacing"] == pytest.approx((0.3, 0.2))


def test_colour_and_other_types_that_hold_bytes(tmp_path: Path) -> None:
    colour = np.stack([frames(), 255 - frames(), frames() // 2], axis=-1)  # (T, H, W, 3)
    vector = save(tmp_path / "a.nii", colour.transpose(2, 1, 0, 3)[:, :, None], (1, 1, 1, 1, 1))
    clip = load_clip(vector, 2, 2)
    assert np.array_equal(clip.permute(1, 2, 3, 0).numpy(), colour[2:4])
    assert np.isnan(clip.meta["spacing"]).all()
    for dtype in (np.int16, np.float32):
        path = save(tmp_path / "b.nii.gz", frames().transpose(2, 1, 0).astype(dtype), (1, 1, 1))
        assert np.array_equal(load_clip(path)[0].numpy(), frames())


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_what_itk_writes_reads_in_stored_order(tmp_path: Path, suffix: str) -> None:
    itk = pytest.importorskip("itk")
    image = itk.image_from_array(frames()[:, None])
    image.SetSpacing([0.2, 0.3, 1.0, 0.04])
    itk.imwrite(image, str(tmp_path / f"a{suffix}"))
    clip = load_clip(tmp_path / f"a{suffix}")
    assert np.array_equal(clip[0].numpy(), frames())
    assert clip.meta["frame_rate"] == pytest.approx(25)
    assert clip.meta["spacing"] == pytest.approx((0.3, 0.2))


def test_what_is_no_clip_is_refused_in_one_line(tmp_path: Path) -> None:
    good = save(tmp_path / "good.nii", frames().transpose(2, 1, 0), (1, 1, 1))
    (tmp_path / "cut.nii").write_bytes(good.read_bytes()[:-9])
    (tmp_path / "text.nii").write_text("no NIfTI")
    (tmp_path / "empty.nii").touch()
    packed = save(tmp_path / "packed.nii.gz", frames(20).transpose(2, 1, 0), (1, 1, 1)).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(packed[: len(packed) // 2])
    save(tmp_path / "deep.nii", frames().transpose(2, 1, 0).astype(np.int16) * 9, (1, 1, 1))
    save(tmp_path / "volume.nii", np.zeros((4, 4, 3, 3), np.uint8), (1, 1, 1, 1))
    for name, reason in {
        "cut.nii": "is truncated",
        "text.nii": "is not a NIfTI",
        "empty.nii": "is empty",
        "cut.nii.gz": "is (damaged|not a NIfTI)",
        "deep.nii": r"holds int16 values from 0 to .*map them there",
        "volume.nii": "expected a clip",
        "missing.nii": "cannot be opened",
    }.items():
        with pytest.raises(VideoReadError, match=reason) as caught:
            load_clip(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["n8.nii.gz", "n9.nii.gz"])
def test_frames_that_are_only_claimed_are_refused_at_once(cases: Path, name: str) -> None:
    with pytest.raises(VideoReadError, match=f"{name}: is damaged: it claims"):
        NiftiFile(cases / "hostile" / name)


def test_more_bytes_than_gzip_can_make_are_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((64, 64, 2), np.uint8), np.eye(4))
    nib.save(image, tmp_path / "a.nii.gz")
    data = bytearray(gzip.decompress((tmp_path / "a.nii.gz").read_bytes()))
    data[46:48] = (20000).to_bytes(2, "little")  # dim[3]
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with pytest.raises(VideoReadError, match="packed bytes cannot hold"):
        NiftiFile(tmp_path / "a.nii.gz")
    data[108:112] = struct.pack("<f", 1e9)  # vox_offset
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with pytest.raises(VideoReadError, match="a header of 1e\\+09 bytes"):
        NiftiFile(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_values_of_masks_are_those_that_are_stored(tmp_path: Path, suffix: str) -> None:
    classes = np.arange(6 * 4 * 2).reshape(6, 4, 2) * 100
    nib.save(nib.Nifti1Image(classes.astype(np.int16), np.eye(4)), tmp_path / f"a{suffix}")
    values = torch.stack(list(NiftiFile(tmp_path / f"a{suffix}").iter_values([0, 1])))
    np.testing.assert_array_equal(values[:, 0], classes.transpose(2, 1, 0))
    nib.save(nib.Nifti1Image(np.full((6, 4, 2), 0.5, np.float32), np.eye(4)), tmp_path / f"b{suffix}")
    with pytest.raises(VideoReadError, match="not whole: they are not classes"):
        list(NiftiFile(tmp_path / f"b{suffix}").iter_values([0]))


def test_packed_colours_behind_each_other_are_unpacked_once(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 4, 1, 5, 3), dtype=np.uint8)
    nib.save(nib.Nifti1Image(pixels, np.eye(4)), tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(NiftiFile(tmp_path / "a.nii.gz").read(), pixels[:, :, 0].transpose(3, 2, 1, 0))


def test_the_second_that_itk_writes_between_frames_is_remarked(tmp_path: Path) -> None:
    for step in (1.0, 0.04):
        image = nib.Nifti1Image(np.zeros((6, 4, 1, 5), np.uint8), np.eye(4))
        image.header["pixdim"][4] = step
        image.header.set_xyzt_units("mm", "sec")
        nib.save(image, tmp_path / "a.nii")
        clip = NiftiFile(tmp_path / "a.nii")
        assert clip.frame_rate == pytest.approx(1 / step)
        assert [("ITK" in remark) for remark in clip.remarks] == [True] * (step == 1)
