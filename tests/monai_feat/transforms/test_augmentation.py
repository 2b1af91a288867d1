# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from monai_feat.transforms import ClipAugmentation, RandAffineFrames, RandColour


@pytest.fixture
def clip() -> torch.Tensor:
    """A bright ellipse off the centre, moving."""
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    frames = [((rows - 14) / 6) ** 2 + ((columns - 18 - t) / 4) ** 2 < 1 for t in range(3)]
    return torch.stack(frames).float().expand(3, 3, 32, 32) * 0.8


@pytest.mark.parametrize("strength", ["standard", "strong"])
def test_masks_follow_the_picture(clip: torch.Tensor, strength: str) -> None:
    augmentation = ClipAugmentation(strength, 32)  # type: ignore[arg-type]
    label = (clip[:1] > 0).byte()
    for seed in range(10):
        moved, classes = augmentation.set_random_state(seed).move(clip, label)
        assert classes is not None
        assert classes.dtype == torch.uint8
        assert ((moved[:1] > 0.4) == classes.bool()).float().mean() > 0.98


@pytest.mark.parametrize("strength", ["standard", "strong"])
def test_a_seed_repeats_and_the_range_is_kept(clip: torch.Tensor, strength: str) -> None:
    augmentation = ClipAugmentation(strength, 32)  # type: ignore[arg-type]
    draws = []
    for seed in (3, 3, 4):
        augmentation.set_random_state(seed)
        draws.append(augmentation.shade(augmentation.move(clip)[0]))
        assert 0 <= draws[-1].min() <= draws[-1].max() <= 1
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_none_changes_nothing(clip: torch.Tensor) -> None:
    augmentation = ClipAugmentation("none", 32)
    moved, label = augmentation.move(clip, clip[:1].byte())
    assert torch.equal(augmentation.shade(moved), clip)
    assert label is not None
    assert torch.equal(label, clip[:1].byte())


def test_unknown_strengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one of \('none', 'standard', 'strong'\), got 'wild'"):
        ClipAugmentation("wild", 32)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_the_affine_map_is_that_of_scipy(clip: torch.Tensor, seed: int) -> None:
    transform = RandAffineFrames(prob=1.0, rotate=0.5, shear=0.2, zoom=0.3, translate=0.1)
    found = transform.set_random_state(seed)(clip)  # type: ignore[operator]
    matrix = transform.matrix.double().numpy()
    linear, shift = matrix[::-1, 1::-1], matrix[::-1, 2] * 16  # rows before columns, in pixels
    centre = np.array([15.5, 15.5])
    for t in range(3):
        expected = affine_transform(clip[0, t].numpy(), linear, centre + shift - linear @ centre, order=1)
        np.testing.assert_allclose(found[0, t].numpy(), expected, atol=1e-4)


def test_a_zoom_changes_areas_by_its_square(clip: torch.Tensor) -> None:
    transform = RandAffineFrames(prob=1.0, rotate=0.0, zoom=0.3, translate=0.0)
    for seed in range(5):
        found = transform.set_random_state(seed)(clip)  # type: ignore[operator]
        zoom = 1 / float(transform.matrix[1, 1])
        assert float(found.sum() / clip.sum()) == pytest.approx(zoom**2, rel=0.05)


def test_colour_is_the_formula(clip: torch.Tensor) -> None:
    transform = RandColour(1.0, 0.1, 0.2, 0.1, 0.5)
    image = torch.rand(3, 2, 4, 4) * 0.4 + 0.3
    found = transform.set_random_state(2)(image)  # type: ignore[operator]
    drawn = transform.drawn
    mean = image.numpy().mean(0)
    for channel in range(3):
        saturated = mean + (1 + drawn["saturation"]) * (image[channel].numpy() - mean)
        gain = (1 + drawn["balance"][channel]) * (1 + drawn["contrast"])
        expected = np.clip(gain * saturated + drawn["brightness"], 0, 1)
        np.testing.assert_allclose(found[channel].numpy(), expected, atol=1e-6)


def test_grey_has_no_saturation() -> None:
    transform = RandColour(1.0, 0.0, 0.0, 0.0, 0.9)
    image = torch.rand(1, 2, 4, 4)
    torch.testing.assert_close(transform(image), image)


def test_a_zoom_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected zoom in \[0, 1\), got 1"):
        RandAffineFrames(zoom=1.0)
