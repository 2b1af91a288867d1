# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from evaluation.report.pictures import PLANS, clips_section, matched, pair_pictures
from evaluation.results import NearestPair
from tests.evaluation.report.examples import EVIL, empty_evaluation, full_evaluation

CLIP = torch.arange(10, dtype=torch.uint8)[None, :, None, None] * 20 + torch.arange(4, dtype=torch.uint8)


@pytest.mark.parametrize("offset", [-3, 0, 4])
@pytest.mark.parametrize("flipped", [False, True])
def test_a_shifted_and_mirrored_copy_is_shown_as_what_it_copies(offset: int, flipped: bool) -> None:
    """Frame i of the copy is frame i + offset of the original."""
    copy = torch.stack([CLIP[:, min(9, max(0, i + offset))] for i in range(10)], dim=1)
    fake, train = matched(copy.flip(-1) if flipped else copy, CLIP, offset, flipped)
    assert fake.shape[1] == 10 - abs(offset)
    torch.testing.assert_close(fake, train.flip(-1).flip(-1) if not flipped else train)


def test_clips_without_a_common_frame_are_shown_whole() -> None:
    fake, train = matched(CLIP, CLIP, 10, False)
    assert fake.shape == train.shape == CLIP.shape


def test_sides_are_in_order_and_named() -> None:
    evaluation = full_evaluation()
    shuffled = {"other": evaluation.clips["fake"], "fake": (), "held_out": evaluation.clips["held_out"]}
    section = clips_section(replace(evaluation, clips=shuffled | {"train": evaluation.clips["train"]}), PLANS[0])
    assert re.findall(r"<h3>([\w, ]+?) <", section) == ["Real, training", "Real, held out", "other"]
    assert "own 12.5 Hz" in section
    assert section.count("animation-duration:0.64s") == 9


def test_an_unknown_frame_rate_is_said() -> None:
    section = clips_section(replace(full_evaluation(), frame_rate=0.0), PLANS[0])
    assert "play at 10 Hz; their own frame rate is not known" in section


def test_what_is_left_out_is_said() -> None:
    evaluation = full_evaluation()
    few = clips_section(evaluation, replace(PLANS[0], clips=1))
    assert few.count("<img") == 3
    assert few.count("2 more clips left out") == 3
    none = clips_section(evaluation, replace(PLANS[0], clips=0))
    assert none.count("<img") == 0
    assert none.count("Left out, to keep the page light.") == 3
    assert "No clips were kept" in clips_section(empty_evaluation(), PLANS[0])


def test_a_pair_shows_both_clips_and_their_difference() -> None:
    pair = NearestPair(EVIL, "train.mp4", "pixels", 0.02, 0.016, -2, True, CLIP, CLIP)
    shown = pair_pictures(pair, "Pair", 10.0, PLANS[0])
    assert shown.count("<img") == 3
    assert shown.count('data-frames="8"') == 3
    assert "<script" not in shown
    assert "Distance 0.0200 in pixels; p = 0.016; the synthetic clip starts 2 frames earlier" in shown
    assert "matches the mirrored training clip" in shown


def test_a_pair_of_unequal_frames_has_no_difference_and_one_without_pixels_its_names() -> None:
    pair = NearestPair("fake.mp4", "train.mp4", "pixels", 0.02, 0.016, 0, False, CLIP, CLIP.expand(3, -1, -1, -1))
    assert pair_pictures(pair, "Pair", 10.0, PLANS[0]).count("<img") == 2
    bare = pair_pictures(replace(pair, fake_clip=None), "Pair", 10.0, PLANS[0])
    assert bare.count("<img") == 0
    assert "synthetic: fake.mp4; training: train.mp4" in bare


def test_plans_grow_smaller() -> None:
    assert list(PLANS) == sorted(PLANS, key=lambda plan: (plan.clips, plan.pairs, plan.width), reverse=True)
    assert PLANS[-1].clips == PLANS[-1].pairs == 0
