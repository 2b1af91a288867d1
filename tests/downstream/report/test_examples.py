# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips on the page, decoded again: which are shown, in what order, and with which outlines."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from downstream.report import Example, ReportArm, ReportInput, Sample
from downstream.report.examples import PLANS, PicturePlan, examples_section, show_samples
from downstream.report.findings import find
from downstream.scores import Score
from monai_feat.visualize import MOST_FRAMES
from tests.downstream.report.studies import EVIL, parsed, words

PLAN = PicturePlan(clips=6, width=64, quality=100)
BLACK = torch.zeros(1, 2, 64, 64, dtype=torch.uint8)
YELLOW, BLUE = 213, 158  # brightness of the first two colours of outlines, by ITU-R BT.601


def square(top: int, side: int, frames: int = 2) -> Tensor:
    mask = torch.zeros(1, frames, 64, 64, dtype=torch.uint8)
    mask[..., top : top + side, top : top + side] = 1
    return mask


def border(mask: Tensor) -> np.ndarray:
    """Two pixels wide, on the inside, of one frame."""
    inside = mask[0, 0].numpy() > 0
    return inside & ~ndimage.binary_erosion(inside, np.ones((3, 3)), iterations=2)


def first_frame(picture: ElementTree.Element, width: int = 64) -> np.ndarray:
    """Brightness; two pixels stand before each frame."""
    data = base64.b64decode(picture.get("src", "").split("base64,")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))[:, 2 : 2 + width].astype(int)


def study(gains: dict[str, float], metric: str = "dice", left_out: str = "") -> ReportInput:
    """A clip for each gain, of a patient of the same name."""
    start = 0.5 if metric == "dice" else 20.0
    values = {(arm, name): start + (arm != "real") * gain for arm in ("real", "new") for name, gain in gains.items()}
    scores = [
        Score(arm, 1.0, 0, 0, name, f"{name}.mp4", metric, value)
        for (arm, name), value in values.items()
        if name != left_out
    ]
    masks = {arm: square(8, 20) for arm in ("real", "new")}
    examples = [Example(name, f"{name}.mp4", BLACK, square(8, 20), masks) for name in gains]
    return ReportInput(
        "A study",
        scores,
        (ReportArm("real", "reference"), ReportArm("new", "synthetic")),
        smallest_effect=0.02,
        metric=metric,
        examples=examples,
    )


def headings(markup: str) -> list[str]:
    return [words(heading) for heading in parsed(markup).iter("h3")]


def pictures(markup: str) -> list[ElementTree.Element]:
    return list(parsed(markup).iter("img"))


def test_gains_come_first_and_losses_last() -> None:
    gains = {"a": 0.1, "b": -0.3, "c": 0.4, "d": 0.0, "e": -0.125}
    shown = headings(examples_section(find(study(gains)), PLAN))
    assert shown == ["c: +0.400 Dice", "a: +0.100 Dice", "d: 0 Dice", "e: −0.125 Dice", "b: −0.300 Dice"]


def test_a_shorter_distance_is_a_gain() -> None:
    section = examples_section(find(study({"near": -4.0, "far": 5.0}, "hd95")), PLAN)
    assert headings(section) == ["near: +4.00 95 % Hausdorff distance", "far: −5.00 95 % Hausdorff distance"]
    assert "new: 95 % Hausdorff distance 16.0" in section


@pytest.mark.parametrize(
    ("clips", "kept", "left"),
    [(1, "c", 4), (2, "cb", 3), (3, "cab", 2), (4, "caeb", 1), (5, "cadeb", 0), (12, "cadeb", 0), (0, "", 5)],
)
def test_fewer_are_taken_from_both_ends(clips: int, kept: str, left: int) -> None:
    gains = {"a": 0.1, "b": -0.3, "c": 0.4, "d": 0.0, "e": -0.125}
    section = examples_section(find(study(gains)), PicturePlan(clips, 32, 50))
    assert "".join(heading[0] for heading in headings(section)) == kept
    assert re.findall(r"to keep the page light: (\d) clips?\.", section) == ([str(left)] if left else [])


def test_each_prediction_is_outlined_over_the_truth_in_a_colour_of_its_own() -> None:
    """Brightness is what WebP keeps for each pixel."""
    one = Example("p", "p.mp4", BLACK, square(6, 20), {"real": square(34, 16), "new": square(38, 20)})
    given = study({"p": 0.25})
    section = examples_section(find(ReportInput("", given.scores, given.arms, 0.02, examples=[one])), PLAN)
    truth, real, new = (first_frame(picture) for picture in pictures(section))
    for frame, predicted in ((truth, None), (real, square(34, 16)), (new, square(38, 20))):
        yellow = border(square(6, 20))
        assert abs(frame[yellow] - YELLOW).mean() < 12
        blue = border(predicted) if predicted is not None else np.zeros_like(yellow)
        assert not blue.any() or abs(frame[blue] - BLUE).mean() < 12
        assert frame[~(yellow | blue)].mean() < 5
    assert [words(caption) for caption in parsed(section).iter("figcaption")] == [
        "truth",
        "real: Dice 0.500",
        "new: Dice 0.750",
    ]
    assert "p.mp4, with all real data, seed 0" in section


def test_a_clip_that_was_not_scored_has_a_dash_and_no_gain() -> None:
    section = examples_section(find(study({"a": 0.1, "b": 0.2, "c": -0.1}, left_out="b")), PLAN)
    assert headings(section) == ["a: +0.100 Dice", "b: 0 Dice", "c: −0.100 Dice"]
    assert sum("Dice –" in words(caption) for caption in parsed(section).iter("figcaption")) == 2


def test_long_clips_are_cut_with_their_masks() -> None:
    frames = MOST_FRAMES + 6
    long = torch.zeros(1, frames, 64, 64, dtype=torch.uint8)
    mask = square(8, 20, frames)
    one = Example("p", "p.mp4", long, mask, {"real": mask, "new": mask})
    given = study({"p": 0.1})
    small = PicturePlan(1, 16, 50)
    section = examples_section(find(ReportInput("", given.scores, given.arms, 0.02, examples=[one])), small)
    section += show_samples([Sample("fold 0", "a.mp4", long, mask)], small)
    assert [picture.get("data-frames") for picture in pictures(section)] == [str(MOST_FRAMES)] * 4


def test_no_clips_are_told() -> None:
    given = study({"a": 0.1})
    without = ReportInput("", given.scores, given.arms, 0.02)
    assert examples_section(find(without), PLAN) == "<p>No clips were kept to look at.</p>"


def sample(generator: str, clip: str, mask: Tensor | None = None) -> Sample:
    return Sample(generator, clip, BLACK, square(8, 20) if mask is None else mask, frame_rate=4.0)


def test_samples_stand_in_a_row_for_each_generator() -> None:
    given = [sample("fold 0", "a"), sample("fold 0", "b"), sample("fold 1", "c")]
    root = parsed(show_samples(given, PLAN))
    assert [words(heading) for heading in root.iter("h3")] == ["fold 0", "fold 1"]
    rows = [each for each in root.iter("div") if each.get("role") == "group"]
    assert [[words(caption) for caption in row.iter("figcaption")] for row in rows] == [["a", "b"], ["c"]]
    assert all("animation-duration:0.5s" in picture.get("style", "") for picture in root.iter("img"))  # 2 frames, 4 Hz


def test_samples_have_the_outline_of_their_mask() -> None:
    mask = square(20, 24)
    (picture,) = pictures(show_samples([sample("fold 0", "a", mask)], PLAN))
    frame = first_frame(picture)
    assert abs(frame[border(mask)] - YELLOW).mean() < 12
    assert frame[~border(mask)].mean() < 5
    (empty,) = pictures(show_samples([sample("fold 0", "a", torch.zeros_like(mask))], PLAN))
    assert first_frame(empty).max() < 5


@pytest.mark.parametrize(
    ("clips", "shown"),
    [(0, []), (1, ["a0"]), (3, ["a0", "b0", "c0"]), (4, ["a0", "a1", "b0", "c0"]), (9, ["a0", "a1", "b0", "b1", "c0"])],
)
def test_every_generator_is_seen_before_any_is_seen_twice(clips: int, shown: list[str]) -> None:
    given = [sample(name[0], name) for name in ("a0", "a1", "b0", "b1", "c0")]
    root = parsed(show_samples(given, PicturePlan(clips, 16, 50)))
    assert [words(caption) for caption in root.iter("figcaption")] == shown


def test_names_cannot_break_the_page() -> None:
    root = parsed(show_samples([sample(EVIL, f"{EVIL}.mp4")], PLAN))
    assert [words(heading) for heading in root.iter("h3")] == [EVIL]
    assert not list(root.iter("script"))


def test_plans_take_less_and_less() -> None:
    sizes = [plan.clips * plan.width**2 * plan.quality for plan in PLANS]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    assert sizes[-1] == 0
