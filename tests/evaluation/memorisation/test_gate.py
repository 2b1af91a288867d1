# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from evaluation.memorisation import run_gate
from evaluation.results import GateResult
from monai_feat.data import PhantomDataset

FRAMES, SIZE = 8, 32
Clips = list[Tensor]


def phantoms(count: int, seed: int, kind: str = "ultrasound") -> Clips:
    clips = PhantomDataset(kind, count, seed=seed, size=SIZE, num_frames=FRAMES)
    return [clips.clip(i).image for i in range(count)]


@pytest.fixture(scope="module")
def sides() -> tuple[Clips, Clips, Clips]:
    return phantoms(12, 0), phantoms(24, 1), phantoms(24, 2)


def gate(fake: Any, train: Any, held_out: Any, **options: Any) -> GateResult:
    names = [
        [f"{side} {i}" for i in range(len(clips))] for side, clips in zip("fth", (fake, train, held_out), strict=True)
    ]
    options = {"names": names, "groups": names, "progress": False} | options
    return run_gate(fake, train, held_out, **options)


def latents(*sides: Clips) -> dict[str, Tensor]:
    pooled = (torch.stack([clip[..., ::4, ::4].float() for clip in clips]) for clips in sides)
    return dict(zip(("fake", "train", "held_out"), pooled, strict=True))


def test_clean_clips_pass(sides: tuple[Clips, Clips, Clips]) -> None:
    result = gate(*sides)
    assert result.passed
    assert not result.copies
    assert list(result.thresholds) == ["clips", "frames", "coarse clips", "parts"]
    assert (result.num_fake, result.num_train, result.num_held_out, result.num_held_out_groups) == (12, 24, 24, 24)
    assert len(result.nearest) == 12
    assert [pair.p_value for pair in result.nearest] == sorted(pair.p_value for pair in result.nearest)


def test_a_copy_is_named_with_its_pixels(sides: tuple[Clips, Clips, Clips]) -> None:
    fake, train, held_out = sides
    copy = train[9].flip(-1)
    result = gate(
        [*fake[:5], copy, *fake[6:]], train, held_out, latents=latents([*fake[:5], copy, *fake[6:]], train, held_out)
    )
    assert not result.passed
    (found,) = result.copies
    assert (found.pair.fake, found.pair.train, found.pair.flipped) == ("f 5", "t 9", True)
    assert found.pair.distance < found.threshold == result.thresholds[found.pair.space]
    assert found.pair.fake_clip is not None
    assert torch.equal(found.pair.fake_clip, copy)
    assert torch.equal(found.pair.train_clip, train[9])
    assert set(result.thresholds) == {"clips", "frames", "coarse clips", "parts", "latent clips", "latent frames"}


def test_latents_alone_can_tell(sides: tuple[Clips, Clips, Clips]) -> None:
    given = latents(*sides)
    given["fake"][3] = given["train"][6]
    result = gate(*sides, latents=given)
    assert [(copy.pair.fake, copy.pair.train) for copy in result.copies] == [("f 3", "t 6")]
    assert result.copies[0].pair.space.startswith("latent")


def test_too_few_patients_fail_closed_and_say_how_many(sides: tuple[Clips, Clips, Clips]) -> None:
    fake, train, held_out = sides
    groups = [[str(i) for i in range(12)], ["t"] * 24, [str(i % 9) for i in range(24)]]
    result = gate(fake, train, held_out, groups=groups)
    assert not result.passed
    assert "9 held-out patients" in result.note
    assert "at least 19 are needed" in result.note
    assert result.simulated_false_positive_rate is None


def test_a_leaking_split_fails_closed_and_names_the_clip(sides: tuple[Clips, Clips, Clips]) -> None:
    fake, train, held_out = sides
    result = gate(fake, train, [*held_out[:-1], train[0]])
    assert not result.passed
    assert not result.copies
    assert "h 23" in result.note


def test_training_clips_themselves_are_all_copies(sides: tuple[Clips, Clips, Clips]) -> None:
    _, train, held_out = sides
    result = gate(train, train, held_out)
    assert len(result.copies) == len(train)
    assert len(result.nearest) == 12


def test_each_clip_is_asked_for_once_before_the_pairs(sides: tuple[Clips, Clips, Clips]) -> None:
    class Counting(list[Tensor]):
        asked = 0

        def __iter__(self) -> Any:
            self.asked += len(self)
            return super().__iter__()

    counting = Counting(sides[1])
    gate(sides[0], counting, sides[2])
    assert counting.asked == len(counting)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda f, t, h: ([], t, h), "there are no synthetic clips"),
        (lambda f, t, h: (f, [], h), "there are no training clips"),
        (lambda f, t, h: (f, t, []), "there are no held-out clips"),
        (lambda f, t, h: ([c[..., :-1] for c in f], t, h), "resize all sides"),
        (lambda f, t, h: ([c[:, :-1] for c in f], t, h), "one number of frames T"),
        (lambda f, t, h: ([c.expand(3, -1, -1, -1) for c in f], t, h), "make all sides grey, or all RGB"),
        (lambda f, t, h: ([c[0] for c in f], t, h), r"expected \(C, T, H, W\)"),
        (lambda f, t, h: (f, [c * 0 for c in t], h), "all frames of the training clips are of one colour"),
        (lambda f, t, h: ([c.expand(2, -1, -1, -1) for c in f], t, h), "C = 1 or 3"),
    ],
)
def test_what_does_not_fit_is_said(sides: tuple[Clips, Clips, Clips], change: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        gate(*change(*sides))


def test_float_clips_are_refused(sides: tuple[Clips, Clips, Clips]) -> None:
    fake, train, held_out = sides
    with pytest.raises(TypeError, match="synthetic clip f 0: expected uint8"):
        gate([clip.float() for clip in fake], train, held_out)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"names": [["a"], ["b"], ["c"]]}, "names of 12 synthetic clips"),
        ({"names": [["a"], ["b"]]}, "got 2 sequences"),
        ({"groups": [["a"] * 12, ["b"] * 24, ["b"] * 24]}, "both in training and held out, such as 'b'"),
        ({"false_positive_rate": 5}, "between 0 and 1"),
        ({"latents": {"fake": torch.zeros(1)}}, "under the keys"),
        ({"latents": dict.fromkeys(("fake", "train", "held_out"), torch.zeros(24, 4, 8, 8, 8))}, "12 synthetic clips"),
    ],
)
def test_options_that_do_not_fit_are_said(
    sides: tuple[Clips, Clips, Clips], options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        gate(*sides, **options)


def test_latents_with_nan_are_refused(sides: tuple[Clips, Clips, Clips]) -> None:
    given = latents(*sides)
    given["held_out"][0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="latents of held-out clips hold NaN"):
        gate(*sides, latents=given)


def test_one_recording_under_two_patients_is_found_in_real_clips(shared_data: Any) -> None:
    from monai_feat.data import read_video
    from monai_feat.transforms.functional import resize_clip, rgb_to_grey

    folder = shared_data / "ultrasound_video" / "lung"
    files = ["Vir_prospective_file1.mp4", "Vir_or_Pneu_prospective_file4.mp4", "Pneu_prospective_file3.mp4"]
    twin, train, other = (resize_clip(rgb_to_grey(read_video(folder / name)[:, :96]), 64, "pad") for name in files)
    cut = [[video[:, i : i + 16] for i in range(0, 96, 16)] for video in (twin, train, other)]
    result = gate(*cut)
    assert not result.passed  # six held-out clips are too few
    assert result.nearest[0].distance < 0.3
    assert result.nearest[0].p_value == pytest.approx(1 / 7)
