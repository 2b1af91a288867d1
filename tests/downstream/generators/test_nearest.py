# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The nearest training clip."""

from __future__ import annotations

from pathlib import Path

import torch

from downstream.clips import write_clip
from downstream.generators import nearest_clips
from monai_feat.data import ClipItem


def test_the_nearest_is_the_one_a_clip_was_made_of(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (4, 1, 2, 32, 32), generator=generator, dtype=torch.uint8)
    noise = torch.randint(-9, 10, pictures.shape, generator=generator)
    near = (pictures.int() + noise).clamp(0, 255).to(torch.uint8)
    training, made = (
        [write_clip(ClipItem(tmp_path), clip, None, tmp_path / f"{name}{i}", 1) for i, clip in enumerate(clips)]
        for name, clips in (("training", pictures), ("made", near))
    )
    order = [2, 0, 3, 1, 1]
    assert nearest_clips([made[i] for i in order], training) == [training[i] for i in order]
    assert nearest_clips([], training) == []
