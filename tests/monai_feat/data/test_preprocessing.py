# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_feat.data.preprocessing import preprocess_frames
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.load import open_clip


@pytest.fixture
def file(tmp_path: Path) -> ClipFile:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 255, (6, 8, 10), np.uint8))
    return open_clip(tmp_path / "a.npy")


def test_frames_are_seen_together_with_what_is_known_of_them(file: ClipFile) -> None:
    seen: list[MetaTensor] = []

    def crop(clip: MetaTensor) -> Tensor:
        seen.append(clip)
        return clip[..., 1:5, :]

    frames = list(file.iter_frames([2, 3, 4]))
    before, after = preprocess_frames(crop, frames, file, start=2)
    assert torch.equal(before.as_tensor(), torch.stack(frames, 1))
    assert torch.equal(torch.as_tensor(after), before.as_tensor()[..., 1:5, :])
    assert (seen[0].meta["start"], seen[0].meta["original_frames"], seen[0].shape) == (2, 6, (1, 3, 8, 10))


def test_what_it_may_not_do_is_said(file: ClipFile) -> None:
    frames = list(file.iter_frames([0, 1]))
    for wrong in (lambda clip: clip.float(), lambda clip: clip[:, :1], lambda clip: clip[0]):
        with pytest.raises(ValueError, match=r"expected uint8 .* with as many frames"):
            preprocess_frames(wrong, frames, file, 0)
    with pytest.raises(RuntimeError, match=r"a\.npy: preprocessing of \(1, 2, 8, 10\) failed: division"):
        preprocess_frames(lambda _clip: 1 / 0, frames, file, 0)
