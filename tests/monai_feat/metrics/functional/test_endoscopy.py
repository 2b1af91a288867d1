# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.color import deltaE_cie76, rgb2lab
from torch import Tensor

from monai_feat.metrics.functional.endoscopy import (
    clip_lab,
    lab_colour_distance,
    specular_area,
    specular_lifetime,
)


def tissue() -> Tensor:
    """Plain tissue, uint8 RGB (1, 3, 8, 64, 64)."""
    colour = torch.tensor([150, 80, 60], dtype=torch.uint8)
    return colour[None, :, None, None, None].repeat(1, 1, 8, 64, 64)


def with_highlight(clips: Tensor, frames: range, row: int = 20, column: int = 20, speed: int = 0) -> Tensor:
    clips = clips.clone()
    for t in frames:
        left = column + speed * (t - frames[0])
        clips[:, :, t, row : row + 2, left : left + 2] = 250
    return clips


def test_the_area_of_painted_highlights() -> None:
    clips = with_highlight(tissue(), range(8))
    half = with_highlight(tissue(), range(4))
    expected = torch.tensor([4, 2, 0], dtype=torch.float64) / 64**2
    torch.testing.assert_close(specular_area(torch.cat((clips, half, tissue()))), expected)


@pytest.mark.parametrize(("speed", "lifetime"), [(0, 3), (1, 3), (2, 3), (6, 1)])
def test_the_lifetime_of_a_highlight_that_may_move_by_its_width(speed: int, lifetime: int) -> None:
    clips = with_highlight(tissue(), range(2, 5), speed=speed)
    assert specular_lifetime(clips).item() == lifetime
    assert specular_lifetime(clips, frame_rate=25).item() == pytest.approx(lifetime / 25)


def test_lifetime_is_the_mean_over_highlights_and_never_longer_than_the_clip() -> None:
    clips = with_highlight(with_highlight(tissue(), range(8)), range(2, 4), row=50)
    assert specular_lifetime(clips).item() == (8 + 2) / 2


def test_a_clip_without_highlights_has_no_lifetime() -> None:
    assert specular_lifetime(tissue()).isnan().all()


def test_mean_colour_agrees_with_skimage() -> None:
    clips = torch.randint(0, 256, (2, 3, 2, 8, 8), dtype=torch.uint8)
    expected = [rgb2lab(clip.double().numpy() / 255, channel_axis=0).mean((1, 2, 3)) for clip in clips]
    torch.testing.assert_close(clip_lab(clips), torch.tensor(np.stack(expected)), rtol=1e-4, atol=1e-4)


def test_the_distance_of_two_plain_colours_is_their_delta_e() -> None:
    other = tissue() - 20
    expected = deltaE_cie76(*(rgb2lab(clips[0, :, 0, 0, 0].double().numpy() / 255) for clips in (tissue(), other)))
    assert lab_colour_distance(tissue(), other).item() == pytest.approx(expected, rel=1e-4)


def test_the_distance_is_that_of_gaussians() -> None:
    greys = torch.randint(0, 256, (1, 1, 4, 16, 16), dtype=torch.uint8).expand(-1, 3, -1, -1, -1)
    narrow = (greys // 2 + 64).to(torch.uint8)
    lightness = [clips_lightness(clips) for clips in (greys, narrow)]
    # Grey varies along L* alone, where the distance of one-dimensional Gaussians is √((μ − μ')² + (σ − σ')²).
    mean, std = (float(measure(lightness[0]) - measure(lightness[1])) for measure in (Tensor.mean, population_std))
    assert lab_colour_distance(greys, narrow).item() == pytest.approx(math.hypot(mean, std), rel=1e-3)


def clips_lightness(clips: Tensor) -> Tensor:
    return torch.tensor(rgb2lab(clips[0].double().numpy() / 255, channel_axis=0)[0])


def population_std(values: Tensor) -> Tensor:
    return values.std(correction=0)


def test_the_distance_of_a_set_to_itself_is_0_whatever_the_order() -> None:
    clips = torch.randint(0, 256, (3, 3, 2, 8, 8), dtype=torch.uint8)
    assert lab_colour_distance(clips, clips.flip(0, 2, 3)).item() < 1e-4


@pytest.mark.parametrize("measure", [specular_area, specular_lifetime, clip_lab])
def test_grey_and_float_clips_are_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="3 channels"):
        measure(tissue()[:, :1])
    with pytest.raises(TypeError, match="expected uint8"):
        measure(tissue().float())


def test_a_frame_rate_is_positive() -> None:
    with pytest.raises(ValueError, match="frame rate in Hz"):
        specular_lifetime(tissue(), frame_rate=0)
