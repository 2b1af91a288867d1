# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_feat.transforms.ultrasound import UltrasoundField
from monai_feat.transforms.ultrasound.evidence import field_evidence, saturation, shrunk
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, overlap, speckled


def test_evidence_is_the_field_without_text() -> None:
    clip = speckled(RECTANGLE)
    clip[..., :3, 1:20:2] = 255
    evidence = torch.from_numpy(field_evidence(clip, 64)) > 0.5
    assert overlap(evidence, UltrasoundField.of(RECTANGLE, 64, 64).mask) > 0.98


def test_evidence_does_not_depend_on_the_type_of_the_pixels() -> None:
    clip = speckled(RECTANGLE)
    assert np.array_equal(field_evidence(clip, 64), field_evidence(clip.float() / 127.5 - 1, 64))


def test_a_large_image_is_reduced_by_means() -> None:
    image = np.arange(12.0).reshape(3, 4)
    assert shrunk(image, 2).tolist() == [[2.5, 4.5], [8.5, 10.5]]  # the last row repeats
    assert shrunk(image, 1) is image
    assert field_evidence(speckled(RECTANGLE), 32).shape == (32, 32)


@pytest.mark.parametrize(("colour", "expected"), [((90, 90, 90), 0), ((200, 100, 50), 0.75), ((9, 0, 0), 0)])
def test_saturation_is_relative_to_the_brightest_channel(colour: tuple[int, int, int], expected: float) -> None:
    clip = torch.tensor(colour, dtype=torch.uint8)[:, None, None, None].expand(3, 2, 16, 16)
    assert saturation(clip) == pytest.approx(expected)
