# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from evaluation.memorisation.checks import SIDES, check_gate_input, checked_clips

SHAPE = torch.Size((1, 4, 8, 8))
CLIPS = {side: [torch.zeros(SHAPE, dtype=torch.uint8)] * 2 for side in SIDES}
NAMES = [[f"{side} {i}" for i in range(2)] for side in SIDES]
LATENTS = {side: torch.zeros(2, 4, 4, 1, 1) for side in SIDES}


def check(**changes: Any) -> None:
    given = {"sides": CLIPS, "names": NAMES, "groups": NAMES, "latents": LATENTS, "false_positive_rate": 0.05}
    check_gate_input(**{**given, **changes})


def test_what_fits_passes_and_clips_come_out_as_they_are() -> None:
    check()
    check(latents=None)
    clips = CLIPS["fake"]
    assert all(a is b for a, b in zip(checked_clips("fake", clips, SHAPE, NAMES[0]), clips, strict=True))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"false_positive_rate": 5}, "between 0 and 1, such as 0.05, got 5"),
        ({"names": NAMES[:2]}, "names of synthetic, training and held-out clips, got 2 sequences"),
        ({"groups": [["a"], *NAMES[1:]]}, "groups of 2 synthetic clips, one for each, got 1"),
        ({"sides": {**CLIPS, "held_out": []}}, "there are no held-out clips"),
        ({"groups": [NAMES[0], NAMES[1], NAMES[1]]}, "2 patients are both in training and held out, such as 'train 0'"),
        ({"latents": {"fake": LATENTS["fake"]}}, "latents under the keys"),
        ({"latents": {**LATENTS, "fake": torch.zeros(2, 4, 4, 2, 2)}}, "all of one shape"),
        ({"latents": {**LATENTS, "train": LATENTS["train"] / 0}}, "latents of training clips hold NaN"),
    ],
)
def test_what_does_not_fit_is_one_line(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        check(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda clip: clip.expand(3, -1, -1, -1), "make all sides grey, or all RGB"),
        (lambda clip: clip[:, :3], "cut all sides to one number of frames T"),
        (lambda clip: clip[..., :7], "resize all sides to one size by one resampler"),
        (lambda clip: clip[0], r"expected \(C, T, H, W\)"),
    ],
)
def test_clips_of_another_shape_are_named(change: Callable[[Tensor], Tensor], complaint: str) -> None:
    clips: Sequence[Tensor] = [CLIPS["fake"][0], change(CLIPS["fake"][1])]
    with pytest.raises(ValueError, match=f"synthetic clip fake 1: .*{complaint}"):
        list(checked_clips("fake", clips, SHAPE, NAMES[0]))


def test_clips_must_be_bytes() -> None:
    with pytest.raises(TypeError, match=r"expected uint8 pixels, got torch\.float32"):
        list(checked_clips("train", [CLIPS["train"][0].float()], SHAPE, ["a"]))
