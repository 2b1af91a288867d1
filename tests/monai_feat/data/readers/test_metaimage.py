# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_feat.data.readers import MetaImageFile, load_clip
from monai_feat.data.video_reader import VideoReadError

itk = pytest.importorskip("itk", reason="extra `all`: ITK writes the files to compare with")


def frames(length: int = 5) -> np.ndarray:
    t, rows, columns = np.mgrid[:length, :12, :16]
    return (8 * columns + 5 * rows + t).astype(np.uint8)


@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_what_itk_writes(tmp_path: Path, compression: bool, suffix: str, dtype: type) -> None:
    image = itk.image_from_array(frames().astype(dtype))
    image.SetSpacing([0.2, 0.3, 9.0])
    itk.imwrite(image, str(tmp_path / f"a{suffix}"), compression=compression)
    clip = load_clip(tmp_path / f"a{suffix}")
    assert np.array_equal(clip[0].numpy(), frames())
    assert np.array_equal(load_clip(tmp_path / f"a{suffix}", 1, 2, 3)[0].numpy(), frames()[1::3])
    assert clip.meta["frame_rate"] == 0
    assert clip.meta["spacing"] == pytest.approx((0.3, 0.2))


def test_colour_and_a_time_axis(tmp_path: Path) -> None:
    colour = np.stack([frames(), 255 - frames(), frames() // 2], axis=-1)
    itk.imwrite(itk.image_from_array(colour, is_vector=True), str(tmp_path / "a.mha"))
    assert np.array_equal(load_clip(tmp_path / "a.mha").permute(1, 2, 3, 0).numpy(), colour)
    image = itk.image_from_array(frames()[:, None])
    image.SetSpacing([1.0, 1.0, 1.0, 0.04])
    itk.imwrite(image, str(tmp_path / "b.mha"))
    clip = load_clip(tmp_path / "b.mha")
    assert np.array_equal(clip[0].numpy(), frames())
    assert clip.meta["frame_rate"] == pytest.approx(25)
    assert np.isnan(clip.meta["spacing"]).all()


def test_what_is_no_clip_is_refused_in_one_line(tmp_path: Path) -> None:
    for name, compression in (("plain", False), ("packed", True)):
        itk.imwrite(itk.image_from_array(frames()), str(tmp_path / f"{name}.mha"), compression=compression)
        (tmp_path / f"cut_{name}.mha").write_bytes((tmp_path / f"{name}.mha").read_bytes()[:-20])
    text = (tmp_path / "plain.mha").read_bytes()
    for name, old, new in (
        ("volume", b"NDims = 3\nDimSize = 16 12 5", b"NDims = 4\nDimSize = 16 6 2 5"),
        ("size", b"DimSize = 16 12 5", b"DimSize = many"),
        ("elsewhere", b"ElementDataFile = LOCAL", b"ElementDataFile = ../x.raw"),
    ):
        changed = text
        for a, b in zip(old.split(b"\n"), new.split(b"\n"), strict=True):
            assert a in changed
            changed = changed.replace(a, b)
        (tmp_path / f"{name}.mha").write_bytes(changed)
    (tmp_path / "text.mha").write_text("no MetaImage")
    (tmp_path / "empty.mha").touch()
    for name, reason in {
        "cut_plain": "is truncated",
        "cut_packed": "is truncated",
        "volume": "expected a clip",
        "size": "damaged header",
        "elsewhere": "is not a file beside it",
        "text": "is not a MetaImage",
        "empty": "is empty",
        "missing": "cannot be opened",
    }.items():
        with pytest.raises(VideoReadError, match=reason) as caught:
            load_clip(tmp_path / f"{name}.mha")
        assert "\n" not in str(caught.value)


def test_a_real_sweep_agrees_with_itk(shared_data: Path) -> None:
    path = shared_data / "dicom" / "NwirePhantomFreehand.igs.mha"
    theirs = itk.array_from_image(itk.imread(str(path)))
    clip = load_clip(path, 0, 2, 96)
    assert clip.meta["original_frames"] == len(theirs) == 97
    assert np.array_equal(clip[0].numpy(), theirs[[0, 96]])
    assert clip.meta["frame_rate"] == pytest.approx(9.4534 / 96, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "message"), [("m1b.mha", "claims 1000000000 frames"), ("m4.mha", "ElementSpacing = 2")]
)
def test_hostile_headers_are_refused_by_name(cases: Path, name: str, message: str) -> None:
    with pytest.raises(VideoReadError, match=f"{name}: is .*{message}"):
        MetaImageFile(cases / "hostile" / name)


def test_more_bytes_than_zlib_can_make_are_refused(tmp_path: Path) -> None:
    header = (
        "NDims = 3\nDimSize = 64 64 9999\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "a.mha").write_bytes(header.encode() + zlib.compress(bytes(64 * 64)))
    with pytest.raises(VideoReadError, match="packed bytes cannot hold"):
        MetaImageFile(tmp_path / "a.mha")


def test_values_of_masks_are_those_that_are_stored(tmp_path: Path) -> None:
    classes = (np.arange(4 * 6 * 2) * 100).astype("<i2").reshape(2, 4, 6)
    header = "NDims = 3\nDimSize = 6 4 2\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    (tmp_path / "a.mha").write_bytes(header.encode() + classes.tobytes())
    values = torch.stack(list(MetaImageFile(tmp_path / "a.mha").iter_values([0, 1])))
    np.testing.assert_array_equal(values[:, 0], classes)
