# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.utils import one_hot

from monai_feat.transforms import UNKNOWN_LABEL, join_labels, split_labels

IMAGE = torch.linspace(-1, 1, 2 * 3 * 2 * 4 * 5).reshape(2, 3, 2, 4, 5)  # (B, C, T, H, W)


def labels(classes: int) -> torch.Tensor:
    return torch.randint(0, classes, (2, 1, 2, 4, 5), dtype=torch.uint8)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("batch", [True, False])
def test_a_mask_becomes_channels_and_comes_back(classes: int, batch: bool) -> None:
    image, label = (IMAGE, labels(classes)) if batch else (IMAGE[0], labels(classes)[0])
    clips = join_labels(image, label, classes)
    assert clips.dtype == image.dtype
    encoded = 2 * one_hot(label if batch else label[None], classes) - 1
    torch.testing.assert_close(clips[..., 3:, :, :, :], encoded if batch else encoded[0])
    found_image, found = split_labels(clips, classes)
    assert torch.equal(found_image, image)
    assert found is not None
    assert torch.equal(found, label)


def test_unknown_is_zero_in_all_channels_and_comes_back() -> None:
    label = labels(2)
    label[0, :, 1] = UNKNOWN_LABEL
    clips = join_labels(IMAGE, label, 2)
    assert (clips[0, 3:, 1] == 0).all()
    assert (clips[1, 3:].abs() == 1).all()
    found = split_labels(clips, 2)[1]
    assert found is not None
    assert torch.equal(found, label)


def test_the_highest_logit_is_the_class() -> None:
    logits = torch.randn(2, 4, 2, 4, 5)
    found = split_labels(torch.cat([IMAGE, logits], 1), 4)[1]
    assert found is not None
    assert torch.equal(found, logits.argmax(1, keepdim=True).to(torch.uint8))


def test_no_label_channels_leave_clips_alone() -> None:
    image, label = split_labels(IMAGE, 0)
    assert image is IMAGE
    assert label is None


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"label_channels from 2 to 255.*got 1"):
        join_labels(IMAGE, labels(1), 1)
    with pytest.raises(ValueError, match=r"label_channels from 2 to 255.*got -1"):
        split_labels(IMAGE, -1)
    with pytest.raises(ValueError, match=r"more than 3 channels, got clips \(2, 3, 2, 4, 5\)"):
        split_labels(IMAGE, 3)
    with pytest.raises(TypeError, match=r"whole numbers, got torch\.float32"):
        join_labels(IMAGE, labels(2).float(), 2)
    with pytest.raises(ValueError, match="the mask holds the classes 2, 3; label_channels=2 expects 0 to 1"):
        join_labels(IMAGE, labels(2) + 2, 2)
    with pytest.raises(ValueError, match=r"of the clip's size, got \(2, 1, 2, 4, 4\)"):
        join_labels(IMAGE, labels(2)[..., :4], 2)
