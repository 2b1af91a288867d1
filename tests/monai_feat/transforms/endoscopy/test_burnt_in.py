# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.transforms.endoscopy.burnt_in import detect_burnt_in
from monai_feat.transforms.functional import to_unit_range

LINES = ["SURNAME, NAME", "17/02/1984", "13:05:27"]
SIZE = (192, 256)


@pytest.mark.parametrize("seed", range(4))
def test_text_on_tissue_is_covered(scenes, seed: int) -> None:  # type: ignore[no-untyped-def]
    clip, truth = scenes.write(scenes.tissue(seed, SIZE, 2, wet=False), LINES, (20, 10), 13)
    found = detect_burnt_in(clip)
    assert float((found.mask & truth).sum() / truth.sum()) >= 0.95
    texts = [region for region in found.regions if region.kind == "text"]
    assert len(texts) >= 3
    rows, columns = truth.any(1).nonzero(), truth.any(0).nonzero()
    box_area = int((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))
    assert int(found.mask.sum()) <= 1.6 * box_area


def test_text_in_the_surround_is_covered_whole(scenes) -> None:  # type: ignore[no-untyped-def]
    field = torch.zeros(SIZE, dtype=torch.bool)
    field[:, 64:] = scenes.aperture("octagon", (192, 192))
    clip, truth = scenes.write(scenes.seen_through(scenes.tissue(0, SIZE, 2), field), ["AB", "Hb:2"], (40, 4), 12)
    found = detect_burnt_in(clip)
    assert found.mask[truth].all()
    assert scenes.iou(~found.mask, field) >= 0.95


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("box", [(120, 0, 192, 80), (0, 176, 60, 256), (30, 40, 90, 120)])
@pytest.mark.parametrize("content", ["black", "picture"])
def test_insets_are_found(scenes, seed: int, box: tuple[int, ...], content: str) -> None:  # type: ignore[no-untyped-def]
    clip = scenes.tissue(seed, SIZE, 2)
    top, left, bottom, right = box
    truth = torch.zeros(SIZE, dtype=torch.bool)
    truth[top:bottom, left:right] = True
    picture = 70 + scenes.tissue(seed + 50, (bottom - top, right - left), 2).flip(0) // 2
    clip[..., top:bottom, left:right] = 0 if content == "black" else picture
    found = detect_burnt_in(clip)
    insets = [region for region in found.regions if region.kind == "inset"]
    assert len(insets) == 1
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[insets[0].box[0] : insets[0].box[2], insets[0].box[1] : insets[0].box[3]] = True
    assert scenes.iou(mask, truth) >= 0.95


def test_tissue_with_highlights_is_left_alone(scenes) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        clip, _ = scenes.glints(scenes.tissue(seed, SIZE, 1), 25, seed)
        found = detect_burnt_in(clip)
        assert found.regions == ()
        assert not found.mask.any()


def test_what_moves_is_not_burnt_in(scenes) -> None:  # type: ignore[no-untyped-def]
    clip = scenes.tissue(0, SIZE, 2, wet=False)
    first, _ = scenes.write(clip[:, :1], LINES, (20, 10), 13)
    second, _ = scenes.write(clip[:, 1:], LINES, (90, 100), 13)
    assert detect_burnt_in(torch.cat([first, second], 1)).regions == ()
    assert len(detect_burnt_in(first).regions) >= 3


def test_threshold_type_and_mirror(scenes) -> None:  # type: ignore[no-untyped-def]
    clip, truth = scenes.write(scenes.tissue(1, SIZE, 1), LINES, (20, 10), 13)
    found = detect_burnt_in(clip)
    assert torch.equal(detect_burnt_in(to_unit_range(clip)).mask, found.mask)
    assert detect_burnt_in(clip, 1.0).regions == ()
    mirrored = detect_burnt_in(clip.flip(-1)).mask.flip(-1)
    assert float((mirrored & truth).sum() / truth.sum()) >= 0.95
    assert found.confidence == max(region.confidence for region in found.regions)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_clip_has_nothing(level: int) -> None:
    found = detect_burnt_in(torch.full((3, 2, 48, 64), level, dtype=torch.uint8))
    assert (found.regions, found.confidence, bool(found.mask.any())) == ((), 0.0, False)


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match="min_confidence"):
        detect_burnt_in(torch.zeros(3, 1, 8, 8), 1.5)
    with pytest.raises(ValueError, match=r"\(C, T, H, W\)"):
        detect_burnt_in(torch.zeros(8, 8))
