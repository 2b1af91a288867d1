# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.data import endoscopy_phantom
from monai_feat.data.phantoms.clip import pixel_grid
from monai_feat.data.phantoms.tunnel import draw_tunnel
from monai_feat.transforms.endoscopy.field_of_view import detect_field_of_view
from monai_feat.transforms.functional import resize_clip, to_unit_range

SHAPES = {"octagon": "octagon", "disc": "disc", "cut disc": "disc", "rectangle": "rectangle"}


@pytest.mark.parametrize("size", [(96, 96), (90, 128)])
@pytest.mark.parametrize("shape", SHAPES)
def test_known_fields_are_found(scenes, shape: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    truth = scenes.aperture(shape, size)
    for seed in range(3):
        view = detect_field_of_view(scenes.seen_through(scenes.tissue(seed, size), truth))
        assert view.shape == SHAPES[shape]
        assert scenes.iou(view.mask, truth) >= 0.95
        assert view.confidence >= 0.5
        rows, columns = truth.any(1).nonzero(), truth.any(0).nonzero()
        expected = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
        assert max(abs(int(a) - b) for a, b in zip(expected, view.box, strict=True)) <= 2


def test_the_phantoms_own_octagon_is_found() -> None:
    x, y = pixel_grid(96, 96)
    for seed in range(8):
        cut = draw_tunnel(np.random.default_rng([0, seed]), 0.85).corner_cut
        view = detect_field_of_view(endoscopy_phantom(seed, 96, 4).image)
        truth = x.abs() + y.abs() <= 2 - cut
        assert float((view.mask & truth).sum() / (view.mask | truth).sum()) >= 0.95
        assert view.confidence >= 0.5


def test_scale_and_mirror_carry_over(scenes) -> None:  # type: ignore[no-untyped-def]
    truth = scenes.aperture("disc", (96, 128))
    clip = scenes.seen_through(scenes.tissue(1, (96, 128)), truth)
    view = detect_field_of_view(clip)
    assert scenes.iou(detect_field_of_view(clip.flip(-1)).mask, view.mask.flip(-1)) >= 0.98
    assert scenes.iou(detect_field_of_view(clip.flip(-2)).mask, view.mask.flip(-2)) >= 0.98
    larger = detect_field_of_view(resize_clip(clip, (192, 256)))
    assert scenes.iou(larger.mask, view.mask.repeat_interleave(2, 0).repeat_interleave(2, 1)) >= 0.95
    assert torch.equal(detect_field_of_view(to_unit_range(clip)).mask, view.mask)


def test_a_lifted_black_level_does_not_matter(scenes) -> None:  # type: ignore[no-untyped-def]
    truth = scenes.aperture("octagon", (96, 96))
    view = detect_field_of_view(scenes.seen_through(scenes.tissue(0), truth, black=16))
    assert scenes.iou(view.mask, truth) >= 0.95
    assert view.confidence >= 0.5


def test_a_second_picture_beside_the_field_is_left_out(scenes) -> None:  # type: ignore[no-untyped-def]
    truth = torch.zeros(96, 160, dtype=torch.bool)
    truth[:, 64:] = scenes.aperture("disc", (96, 96))
    clip = scenes.seen_through(scenes.tissue(0, (96, 160)), truth)
    clip[:, :, 4:40, 4:44] = 180
    view = detect_field_of_view(clip)
    assert scenes.iou(view.mask, truth) >= 0.95


@pytest.mark.parametrize("level", [0, 30, 128])
def test_without_a_border_the_whole_frame_is_the_field(level: int) -> None:
    view = detect_field_of_view(torch.full((3, 2, 40, 60), level, dtype=torch.uint8))
    assert view.mask.all()
    assert view.box == (0, 0, 40, 60)
    assert (view.shape, view.confidence) == ("full", 0.0)


def test_tissue_that_fills_the_frame_is_left_alone(scenes) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        assert detect_field_of_view(scenes.tissue(seed)).confidence < 0.5


def test_light_that_fades_out_is_no_border() -> None:
    x, y = pixel_grid(96, 96)
    fading = (220 * torch.exp(-2.5 * (x**2 + y**2))).to(torch.uint8).expand(3, 2, 96, 96)
    assert detect_field_of_view(fading).confidence < 0.5


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"got \(2, 1, 8, 8\)"):
        detect_field_of_view(torch.zeros(2, 1, 8, 8))
    with pytest.raises(TypeError, match="int64"):
        detect_field_of_view(torch.zeros(3, 1, 8, 8, dtype=torch.int64))


def test_real_stills_have_octagons(shared_data: Path) -> None:
    files = sorted((shared_data / "polyp_seg" / "images").glob("*.jpg"))[::90]
    for file in files:
        frame = torch.from_numpy(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1)
        view = detect_field_of_view(resize_clip(frame, 160, "pad"))
        assert view.confidence >= 0.5, file.name
        assert view.mask.float().mean() > 0.55, file.name
