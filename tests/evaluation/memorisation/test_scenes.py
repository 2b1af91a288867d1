# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from scipy.fft import dctn

from evaluation.memorisation.scenes import Design, block_cosines


def test_recordings_of_a_patient_differ_and_longer_ones_go_on() -> None:
    design = Design("ultrasound", num_frames=8, size=32)
    video = design.video(0, 3)
    assert video.shape == (1, 16, 32, 32)
    assert torch.equal(design.video(0, 3, frames=20)[:, :16], video)
    assert not torch.equal(design.video(0, 3, recording=1), video)
    assert not torch.equal(design.video(1, 3), video)


def test_block_cosines_are_a_discrete_cosine_transform() -> None:
    clip = torch.randint(0, 256, (1, 2, 8, 8), dtype=torch.uint8)
    latents = block_cosines([clip])
    assert latents.shape == (1, 4, 2, 2, 2)
    block = clip[0, 1, 4:, :4].numpy().astype(float)
    expected = dctn(block, type=2)[:2, :2] / 4  # scipy's has a factor 2 on each axis
    torch.testing.assert_close(
        latents[0, :, 1, 1, 0].double(), torch.from_numpy(expected).flatten(), rtol=1e-5, atol=1e-3
    )


def test_colour_becomes_grey() -> None:
    assert block_cosines([torch.zeros(3, 2, 8, 8, dtype=torch.uint8)]).shape == (1, 4, 2, 2, 2)
