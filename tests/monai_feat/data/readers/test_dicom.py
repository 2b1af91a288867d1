# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
import torch
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.multival import MultiValue
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from monai_feat.data.dicom_bytes import is_dicom
from monai_feat.data.readers import DicomFile, load_clip
from monai_feat.data.readers.dicom import dicom_modality
from monai_feat.data.video_reader import VideoReadError

T, H, W = 4, 18, 26


def colours() -> np.ndarray:
    """Smooth colour frames (T, H, W, 3) that differ from each other and from their mirror images."""
    t, rows, columns = np.mgrid[:T, :H, :W]
    return np.stack([8 * columns + 5 * t, 10 * rows + 3 * t, 200 - 5 * rows - 2 * columns], axis=-1).astype(np.uint8)


def dicom(pixels: np.ndarray, photometric: str = "RGB", **attributes: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PhotometricInterpretation = "US", photometric
    data.NumberOfFrames, data.Rows, data.Columns = T, H, W
    data.SamplesPerPixel = 1 if photometric.startswith(("MONO", "PAL")) else 3
    data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    data.PixelData = pixels.tobytes()
    for name, value in attributes.items():
        setattr(data, name, value)
    if data.SamplesPerPixel == 1:
        del data.PlanarConfiguration
    return data


def saved(data: FileDataset, path: Path) -> Path:
    data.save_as(path, enforce_file_format=True)
    return path


def as_clip(frames: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frames.reshape(T, H, W, -1).copy()).permute(3, 0, 1, 2)


def ycbcr(rgb: np.ndarray) -> np.ndarray:
    """Full-range BT.601 (PS3.3 C.7.6.3.1.2)."""
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return (rgb @ matrix.T + [0, 128, 128]).round().clip(0, 255).astype(np.uint8)


def test_rgb_has_the_right_axes_time_and_scale(tmp_path: Path) -> None:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType = 1, 1
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = W, H
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, -0.05
    data = dicom(colours(), FrameTime=40, SequenceOfUltrasoundRegions=[region])
    clip = load_clip(saved(data, tmp_path / "IM_0001"), 1, 2, 2)
    assert torch.equal(clip.as_tensor(), as_clip(colours())[:, 1::2])
    assert clip.meta["frame_rate"] == pytest.approx(12.5)
    assert clip.meta["original_frame_rate"] == pytest.approx(25)
    assert clip.meta["spacing"] == pytest.approx((0.5, 0.2))
    assert clip.affine.diagonal().tolist() == pytest.approx([1, 0.5, 0.2, 1])
    assert (clip.meta["original_frames"], clip.meta["original_size"]) == (T, (H, W))


def test_planar_ybr_and_subsampled_colour(tmp_path: Path) -> None:
    planar = dicom(np.ascontiguousarray(colours().transpose(0, 3, 1, 2)), PlanarConfiguration=1)
    assert torch.equal(load_clip(saved(planar, tmp_path / "planar.dcm")).as_tensor(), as_clip(colours()))
    full = saved(dicom(ycbcr(colours()), "YBR_FULL"), tmp_path / "full.dcm")
    assert (load_clip(full).as_tensor().int() - as_clip(colours())).abs().max() <= 2
    # 4:2:2 stores Y0 Y1 Cb Cr for every two pixels (PS3.3 C.7.6.3.1.2); pairs of equal colour lose nothing.
    pairs = colours()[:, :, ::2].repeat(2, axis=2)
    y = ycbcr(pairs)
    stored = np.stack([y[:, :, ::2, 0], y[:, :, 1::2, 0], y[:, :, ::2, 1], y[:, :, ::2, 2]], axis=-1)
    half = saved(dicom(stored, "YBR_FULL_422"), tmp_path / "half.dcm")
    assert (load_clip(half).as_tensor().int() - as_clip(pairs)).abs().max() <= 2


@pytest.mark.parametrize("bits", [8, 16])
def test_palettes_of_both_depths(tmp_path: Path, bits: int) -> None:
    index = colours()[..., 0]
    table = np.random.default_rng(0).integers(0, 256, (256, 3), dtype=np.uint8)
    data = dicom(index, "PALETTE COLOR")
    for channel, name in enumerate(("Red", "Green", "Blue")):
        entries = table[:, channel].astype("<u2") * 257 if bits == 16 else table[:, channel]
        setattr(data, f"{name}PaletteColorLookupTableDescriptor", [256, 0, bits])
        setattr(data, f"{name}PaletteColorLookupTableData", entries.tobytes())
    assert torch.equal(load_clip(saved(data, tmp_path / "a.dcm")).as_tensor(), as_clip(table[index]))


def test_monochrome_follows_window_and_depth(tmp_path: Path) -> None:
    grey = colours()[..., 0]
    plain = load_clip(saved(dicom(grey, "MONOCHROME2"), tmp_path / "a.dcm"))
    inverse = load_clip(saved(dicom(grey, "MONOCHROME1"), tmp_path / "b.dcm"))
    assert torch.equal(plain.as_tensor(), as_clip(grey))
    assert torch.equal(inverse.as_tensor(), 255 - as_clip(grey))
    deep = grey.astype(np.uint16) * 16
    data = dicom(deep, "MONOCHROME2", BitsStored=12, HighBit=11)
    whole = load_clip(saved(data, tmp_path / "c.dcm"))
    assert torch.equal(whole.as_tensor(), as_clip((deep * (255 / 4095)).round().astype(np.uint8)))
    data.RescaleSlope, data.RescaleIntercept = "2", "-100"
    data.WindowCenter, data.WindowWidth = MultiValue(float, [1000, 40]), MultiValue(float, [801, 400])
    windowed = load_clip(saved(data, tmp_path / "d.dcm"))
    expected = (((deep * 2.0 - 100 - 999.5) / 800 + 0.5) * 255).round().clip(0, 255).astype(np.uint8)
    assert torch.equal(windowed.as_tensor(), as_clip(expected))


def test_rle_and_what_gdcm_compresses(tmp_path: Path) -> None:
    """Files that pydicom (RLE) and GDCM (all others) compress read back."""
    data = dicom(colours())
    original = saved(data, tmp_path / "original.dcm")
    data.compress(RLELossless)
    assert torch.equal(load_clip(saved(data, tmp_path / "rle.dcm")).as_tensor(), as_clip(colours()))
    for name in ("JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless"):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(original))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
        change.SetInput(reader.GetImage())
        assert change.Change(), name
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(tmp_path / f"{name}.dcm"))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        back = load_clip(tmp_path / f"{name}.dcm")
        assert torch.equal(back.as_tensor(), as_clip(colours())), name
        assert torch.equal(load_clip(tmp_path / f"{name}.dcm", 2, 1).as_tensor(), back[:, 2:3].as_tensor()), name


def jpeg_dicom() -> FileDataset:
    """`colours` compressed by Pillow."""
    frames = []
    for frame in colours():
        Image.fromarray(frame).save(buffer := io.BytesIO(), "jpeg", quality=98, subsampling=0)
        frames.append(buffer.getvalue())
    data = dicom(colours(), "YBR_FULL")
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    return data


def test_jpeg_by_pillow(tmp_path: Path) -> None:
    path = saved(jpeg_dicom(), tmp_path / "a.dcm")
    assert (load_clip(path).as_tensor().int() - as_clip(colours())).abs().max() <= 12
    assert torch.equal(load_clip(path, 3, 1).as_tensor(), load_clip(path)[:, 3:].as_tensor())


def test_what_cannot_be_shown_is_refused_in_one_line(tmp_path: Path) -> None:
    path = saved(dicom(colours()), tmp_path / "a.dcm")
    (tmp_path / "cut.dcm").write_bytes(path.read_bytes()[:-100])
    (tmp_path / "text.dcm").write_text("no DICOM")
    (tmp_path / "empty.dcm").touch()
    saved(dicom(colours().astype(np.uint16)), tmp_path / "deep.dcm")
    saved(dicom(colours(), "HSV"), tmp_path / "hsv.dcm")
    saved(dicom(colours(), NumberOfFrames=2**31 - 1), tmp_path / "many.dcm")
    report = dicom(colours())
    del report.Rows, report.PixelData
    saved(report, tmp_path / "report.dcm")
    for name, reason in {
        "cut": "is truncated",
        "text": "is not a DICOM file",
        "empty": "is empty",
        "deep": "RGB pixels of 16 bits",
        "hsv": "has HSV pixels",
        "many": "claims 2147483647 frames",
        "report": "without an image",
        "missing": "cannot be opened",
    }.items():
        with pytest.raises(VideoReadError, match=reason) as caught:
            load_clip(tmp_path / f"{name}.dcm")
        assert "\n" not in str(caught.value)
    assert is_dicom(path)
    assert not is_dicom(tmp_path / "text.dcm")
    assert dicom_modality(path) == "US"


def test_real_files_agree_with_gdcm(shared_data: Path) -> None:
    expected = {
        "JPGLosslessP14SV1_1s_1f_8b.dcm": (1, 768, 1024, 0.2548),
        "OBXXXX1A_rle_2frame.dcm": (2, 600, 800, 0.2623),
        "color-pl.dcm": (1, 120, 256, math.nan),
        "examples_rgb_color.dcm": (1, 240, 320, math.nan),
        "examples_ybr_color.dcm": (30, 240, 320, math.nan),
    }
    for name, (frames, rows, columns, spacing) in expected.items():
        file = DicomFile(shared_data / "dicom" / name)
        assert (file.frames, *file.size) == (frames, rows, columns)
        assert file.spacing == pytest.approx((spacing, spacing), abs=1e-4, nan_ok=True)
        shown = next(file.iter_frames([frames - 1]))
        theirs = decoded_by_gdcm(shared_data / "dicom" / name)[-1]
        # The still's window is 1 level off identity; JPEG and YBR are rounded elsewhere in GDCM.
        assert (shown.permute(1, 2, 0).int() - torch.from_numpy(theirs.astype(np.int32))).abs().max() <= 3, name
    assert DicomFile(shared_data / "dicom" / "examples_ybr_color.dcm").frame_rate == pytest.approx(30, abs=1e-3)


def decoded_by_gdcm(path: Path) -> np.ndarray:
    """Frames (T, H, W, C) in RGB or grey, without pydicom."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    image = reader.GetImage()
    photometric = image.GetPhotometricInterpretation().GetString()
    if photometric.startswith("PALETTE"):
        lookup = gdcm.ImageApplyLookupTable()
        lookup.SetInput(image)
        assert lookup.Apply()
        image = lookup.GetOutput()
    planar = gdcm.ImageChangePlanarConfiguration()
    planar.SetPlanarConfiguration(0)
    planar.SetInput(image)
    assert planar.Change()
    image = planar.GetOutput()
    size = image.GetDimensions()
    data = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), np.uint8)
    frames = data.reshape(size[2] if len(size) > 2 else 1, size[1], size[0], -1)
    if image.GetPhotometricInterpretation().GetString().startswith("YBR"):
        y, cb, cr = (frames[..., i].astype(float) - (128 if i else 0) for i in range(3))
        frames = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
        frames = frames.round().clip(0, 255)
    return frames


def test_grey_values_are_those_that_are_stored(tmp_path: Path) -> None:
    classes = (np.arange(T * H * W) % 3).reshape(T, H, W).astype(np.uint16)
    path = saved(dicom(classes, "MONOCHROME2", WindowCenter=1, WindowWidth=2), tmp_path / "a.dcm")
    values = torch.stack(list(DicomFile(path).iter_values(range(T))))
    np.testing.assert_array_equal(values[:, 0], classes)


@pytest.mark.parametrize(("frames", "message"), [(T + 1, "is truncated"), (T - 2, "contradicts itself")])
def test_a_number_of_frames_that_does_not_fit_the_pixels_is_refused(tmp_path: Path, frames: int, message: str) -> None:
    path = saved(dicom(colours(), NumberOfFrames=frames), tmp_path / "a.dcm")
    with pytest.raises(VideoReadError, match=message):
        DicomFile(path)


# One still and nine frames more; 4:2:2 that is not; each was read as something else.
@pytest.mark.parametrize("name", ["rgb_no_nframes.dcm", "ybr422_but_full_rgb_length.dcm"])
def test_files_of_the_reports_that_contradict_themselves_are_refused(cases: Path, name: str) -> None:
    with pytest.raises(VideoReadError, match="368640 are there; mend NumberOfFrames or PhotometricInterpretation"):
        load_clip(cases / "dicom" / name)


@pytest.mark.parametrize(
    "name", ["deflated.dcm", "no_preamble.dcm", "t_ftv_single.dcm", "ybr_partial_420.dcm", "mpeg4.dcm"]
)
def test_files_of_the_reports_that_are_right_are_read(cases: Path, name: str) -> None:
    clip = load_clip(cases / "dicom" / name)
    assert clip.shape == (3, 40 if name == "mpeg4.dcm" else 10, 96, 128)
    assert clip.meta["frame_rate"] == pytest.approx(25)
    for row, column, colour in ((5, 5, [200, 60, 40]), (5, -5, [40, 180, 60]), (-5, 5, [50, 60, 200])):
        assert clip[:, 0, row, column].tolist() == pytest.approx(colour, abs=3)


@pytest.mark.parametrize(("name", "message"), [("f2.dcm", "claims 1000000000 frames"), ("f6.dcm", "has 0 samples")])
def test_frames_that_are_only_claimed_are_refused_at_once(cases: Path, name: str, message: str) -> None:
    with pytest.raises(VideoReadError, match=message):
        load_clip(cases / "hostile" / name)
