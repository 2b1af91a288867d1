# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_feat.data import endoscopy_phantom, ultrasound_phantom
from monai_feat.transforms.functional import resize_clip, to_unit_range
from monai_feat.transforms.video import (
    DropFalseColour,
    FrameSampling,
    RandSampleFrames,
    ResampleFrameRate,
    ResizeClip,
    ResizeLabels,
    SampleFrames,
    ToUint8,
    ToUnitRange,
)


def clip(frames: int = 20, rate: float | None = 25.0) -> MetaTensor:
    numbers = torch.arange(frames, dtype=torch.uint8).reshape(1, frames, 1, 1).expand(1, frames, 6, 8).clone()
    meta = {"source": "here"} if rate is None else {"source": "here", "frame_rate": rate}
    return MetaTensor(numbers, affine=torch.diag(torch.tensor([1.0, 0.5, 0.25, 1.0])), meta=meta)


def frames_of(pixels: torch.Tensor) -> list[int]:
    return [int(value) for value in pixels[0, :, 0, 0]]


def test_sampling_keeps_the_metadata_and_corrects_rate_and_affine() -> None:
    taken = SampleFrames({"num_frames": 3, "stride": 5}, position=0.5)(clip())
    assert frames_of(taken) == [5, 10, 15]
    assert taken.meta["source"] == "here"
    assert taken.meta["frame_rate"] == 5.0
    # The first frame taken lies where frame 5 lay, and the next one five frames further.
    assert torch.allclose(taken.affine @ torch.tensor([1.0, 0, 0, 1]).double(), torch.tensor([10.0, 0, 0, 1]).double())


@pytest.mark.parametrize(("position", "first"), [(0.0, 0), (0.5, 8), (1.0, 16)])
def test_positions_reach_both_ends(position: float, first: int) -> None:
    assert frames_of(SampleFrames(FrameSampling(num_frames=4), position)(clip()))[0] == first


def test_a_short_clip_is_an_error_or_played_to_and_fro() -> None:
    sampling = FrameSampling(num_frames=5)
    with pytest.raises(ValueError, match="has 3 frames; 5 are needed"):
        SampleFrames(sampling)(clip(3))
    assert frames_of(SampleFrames(sampling, on_short="loop")(clip(3))) == [0, 1, 2, 1, 0]
    with pytest.raises(ValueError, match="'wrap'"):
        SampleFrames(sampling, on_short="wrap")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="position in"):
        SampleFrames(sampling, position=1.5)


def test_an_array_without_metadata_needs_its_rate() -> None:
    sample = SampleFrames(FrameSampling(num_frames=2, frame_rate=5.0))
    with pytest.raises(ValueError, match="it has none"):
        sample(clip(rate=None))
    assert frames_of(sample(clip(rate=None).numpy(), frame_rate=25.0)) == [0, 5]


def test_random_sampling_repeats_by_seed_and_reaches_everywhere() -> None:
    sample = RandSampleFrames(FrameSampling(num_frames=4))
    sample.set_random_state(seed=1)
    first = [frames_of(sample(clip()))[0] for _ in range(200)]
    sample.set_random_state(seed=1)
    assert first == [frames_of(sample(clip()))[0] for _ in range(200)]
    assert set(first) == set(range(17))
    last = first[-1]
    assert frames_of(sample(clip(), randomize=False))[0] == last


@pytest.mark.parametrize("rate", [10.0, 50.0])
def test_resampling_sets_the_rate(rate: float) -> None:
    resampled = ResampleFrameRate(rate)(clip())
    assert resampled.meta["frame_rate"] == rate
    assert resampled.shape[1] == pytest.approx(20 * rate / 25, abs=1)
    assert resampled.affine[0, 0] == pytest.approx(25 / rate)
    with pytest.raises(ValueError, match="no frame rate"):
        ResampleFrameRate(rate)(clip(rate=None))


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_resizing_is_the_one_resampler_and_keeps_the_centre_in_place(fit: str) -> None:
    picture = clip()
    resized = ResizeClip((3, 3), fit)(picture)  # type: ignore[arg-type]
    assert torch.equal(resized.as_tensor(), resize_clip(picture.as_tensor(), (3, 3), fit))  # type: ignore[arg-type]
    before = picture.affine @ torch.tensor([0.0, 2.5, 3.5, 1]).double()
    after = resized.affine @ torch.tensor([0.0, 1, 1, 1]).double()
    assert torch.allclose(before, after)
    scale = 2.0 if fit == "crop" else 8 / 3
    assert resized.affine[1, 1] == pytest.approx(0.5 * scale)


def test_labels_keep_their_values() -> None:
    labels = MetaTensor(
        torch.tensor([0, 2, 2, 5]).reshape(1, 1, 2, 2).repeat_interleave(4, -1), meta={"source": "here"}
    )
    resized = ResizeLabels((4, 16))(labels)
    assert set(resized.unique().tolist()) <= {0, 2, 5}
    assert resized.meta["source"] == "here"


def test_range_there_and_back() -> None:
    unit = ToUnitRange()(clip())
    assert unit.dtype == torch.float32
    back = ToUint8()(unit)
    assert torch.equal(back.as_tensor(), clip().as_tensor())
    assert back.meta["frame_rate"] == 25.0
    with pytest.raises(TypeError, match="uint8"):
        ToUnitRange()(unit)


@pytest.mark.parametrize("to_float", [False, True])
def test_false_colour_is_dropped_and_colour_kept(to_float: bool) -> None:
    grey = ultrasound_phantom(0, 32, 2).image
    false, true = grey.expand(3, -1, -1, -1), endoscopy_phantom(0, 32, 2).image
    if to_float:
        grey, false, true = to_unit_range(grey), to_unit_range(false), to_unit_range(true)
    dropped, kept = DropFalseColour()(false), DropFalseColour()(true)
    assert torch.allclose(dropped.as_tensor().float(), grey.float(), atol=1e-6)
    assert dropped.meta["greyness_confidence"] == 1
    assert torch.equal(kept.as_tensor(), true)
    assert kept.meta["greyness_confidence"] == 0
    assert np.array_equal(DropFalseColour()(np.asarray(grey)).numpy(), grey.numpy())
    with pytest.raises(ValueError, match="min_confidence"):
        DropFalseColour(2)
