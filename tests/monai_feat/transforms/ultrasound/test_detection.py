# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from monai_feat.data import endoscopy_phantom, iter_frames, load_clip, ultrasound_phantom
from monai_feat.transforms.ultrasound import (
    MIN_CONFIDENCE,
    RectangleGeometry,
    SectorGeometry,
    UltrasoundField,
    detect_field,
)
from monai_feat.transforms.ultrasound.evidence import title_bars
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, SECTOR, overlap, phantom_field, speckled


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_field_of_a_phantom_is_found(seed: int, size: tuple[int, int]) -> None:
    found = detect_field(ultrasound_phantom(seed, size, 4).image)
    assert found.kind == "sector"
    assert found.confidence > 0.9
    assert overlap(found.mask, phantom_field(seed, *size).mask) >= 0.95


@pytest.mark.parametrize(
    "geometry",
    [
        SECTOR,
        SectorGeometry(-40.0, 31.5, -0.45, 0.45, 42.0, 100.0),  # wider than the frame, as cut-outs are
        SectorGeometry(-8.0, 28.0, -0.7, 0.5, 16.0, 62.0),  # turned
        RECTANGLE,
        RectangleGeometry(-0.5, 63.5, 8.5, 40.5),  # cut above and below
    ],
)
def test_a_drawn_outline_is_found(geometry: SectorGeometry | RectangleGeometry) -> None:
    truth = UltrasoundField.of(geometry, 64, 64)
    found = detect_field(speckled(geometry))
    assert found.kind == truth.kind
    assert found.confidence > 0.9
    assert overlap(found.mask, truth.mask) >= 0.95


def test_an_outline_that_no_probe_has_is_ruled_out(shared_data: Path) -> None:
    """The search left the sectors here, and opened one to more than half a circle."""
    clip = load_clip(shared_data / "ultrasound_video" / "lung" / "Pneu_prospective_file3.mp4", start=59, num_frames=8)
    found = detect_field(clip.as_tensor())
    assert found.kind in ("sector", "linear", "none")


def _with_overlay(clip: Tensor) -> Tensor:
    """Text, a ruler and a trace around the field, red and white, as scanners draw them."""
    clip = clip.expand(3, -1, -1, -1).clone()
    clip[:, :, 2:5, 1:12:2] = 255  # text
    clip[:, :, 6:62:4, 61:63] = 200  # ruler
    clip[:, :, 62, ::3] = 180  # trace
    clip[0, :, 8:11, 1:4] = 255  # a red mark
    return clip


@pytest.mark.parametrize("geometry", [SECTOR, RECTANGLE])
def test_text_and_rulers_are_not_taken_for_the_field(geometry: SectorGeometry | RectangleGeometry) -> None:
    found = detect_field(_with_overlay(speckled(geometry)))
    assert overlap(found.mask, UltrasoundField.of(geometry, 64, 64).mask) >= 0.95


def test_a_shadow_does_not_cut_the_field() -> None:
    clip = speckled(SECTOR)
    clip[..., 28:, 26:36] = 0
    assert overlap(detect_field(clip).mask, UltrasoundField.of(SECTOR, 64, 64).mask) >= 0.95


def test_float_and_uint8_and_colour_give_the_same_field() -> None:
    clip = ultrasound_phantom(3, 64, 2).image
    fields = [detect_field(c) for c in (clip, clip.float() / 127.5 - 1, clip.expand(3, -1, -1, -1))]
    assert fields[0].geometry == fields[2].geometry
    assert overlap(fields[0].mask, fields[1].mask) > 0.99


def test_a_large_frame_is_found_in_its_own_pixels() -> None:
    geometry = RectangleGeometry(49.5, 450.5, 89.5, 399.5)
    found = detect_field(speckled(geometry, 500, 520, 2))
    assert isinstance(found.geometry, RectangleGeometry)
    assert overlap(found.mask, UltrasoundField.of(geometry, 500, 520).mask) >= 0.98


@pytest.mark.parametrize(
    "clip",
    [
        torch.zeros(1, 4, 64, 64, dtype=torch.uint8),
        torch.randint(0, 256, (1, 4, 64, 64), generator=torch.Generator().manual_seed(0)).to(torch.uint8),
        _with_overlay(torch.zeros(1, 4, 64, 64, dtype=torch.uint8)),
        endoscopy_phantom(1, 64, 2).image,
    ],
    ids=["black", "noise", "text", "endoscopy"],
)
def test_no_field_is_found_where_there_is_none(clip: Tensor) -> None:
    found = detect_field(clip)
    assert found.confidence < MIN_CONFIDENCE
    assert (found.kind, found.geometry) == ("none", None)
    assert found.mask.all()


@pytest.mark.parametrize("shape", [(1, 64, 64), (2, 4, 64, 64), (1, 4, 8, 64), (1, 0, 64, 64)])
def test_what_is_no_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected a clip"):
        detect_field(torch.zeros(shape, dtype=torch.uint8))


def test_real_clips_of_each_kind(shared_data: Path) -> None:
    folder = shared_data / "ultrasound_video"
    kinds = {
        "lung/Reg_Image_181602_trimmed_crop.mp4": "sector",
        "lung/Reg_Image_181206_crop.mp4": "linear",
        "lung/Vir_prospective_file1.mp4": "none",  # cut out of the tissue
    }
    for name, kind in kinds.items():
        clip = torch.stack(list(iter_frames(folder / name, range(0, 40, 10))), dim=1)
        assert detect_field(clip).kind == kind


def test_a_title_bar_above_a_sector_is_no_part_of_it(shared_data: Path) -> None:
    """The second frame of this file shows the whole sector, in blue; the first one a bar, and echoes of the probe."""
    found = detect_field(load_clip(shared_data / "dicom" / "OBXXXX1A_rle_2frame.dcm").as_tensor())
    assert found.kind == "sector"
    assert found.confidence > 0.9
    # Read off the picture: the arc ends at row 516, the left corner lies at row 412 and column 126.
    assert found.geometry.apex_row + found.geometry.outer_radius == pytest.approx(516, abs=6)
    assert found.mask[420, 460]
    assert not found.mask[:55].any()
    assert not found.mask[300, :60].any()


def test_title_bars_are_told_from_echoes() -> None:
    clip = speckled(SECTOR).expand(3, -1, -1, -1).clone()
    assert title_bars(clip) == (0, 0)
    clip[:, :, :7] = torch.tensor([40, 64, 96], dtype=torch.uint8)[:, None, None, None]
    clip[:, :, 2:5, 4:20:3] = 255
    assert title_bars(clip)[1] == 0
    assert 6 <= title_bars(clip)[0] <= 7
    assert title_bars(torch.full((1, 2, 32, 32), 90, dtype=torch.uint8)) == (0, 0)
