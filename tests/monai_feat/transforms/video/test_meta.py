# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor, set_track_meta

from monai_feat.transforms.video.meta import carry_meta, frame_rate_of, plain


def test_metadata_are_copied_not_shared() -> None:
    clip = MetaTensor(torch.zeros(1, 2, 3, 4), meta={"frame_rate": 5.0, "tags": ["a"]})
    carried = carry_meta(clip, torch.ones(1, 2, 3, 4), {"frame_rate": 2.5})
    carried.meta["tags"].append("b")
    assert (clip.meta["tags"], clip.meta["frame_rate"], carried.meta["frame_rate"]) == (["a"], 5.0, 2.5)


def test_the_affine_maps_new_positions_to_old_places() -> None:
    affine = torch.tensor([[1.0, 0, 0, 3], [0, 0.5, 0, -1], [0, 0, 0.25, 2], [0, 0, 0, 1]], dtype=torch.float64)
    clip = MetaTensor(torch.zeros(1, 8, 8, 8), affine=affine)
    carried = carry_meta(clip, torch.zeros(1, 4, 4, 4), scale=(2.0, 2.0, 2.0), start=(1.0, 0.5, 0.5))
    new = torch.tensor([2.0, 3.0, 1.0, 1.0], dtype=torch.float64)
    old = torch.tensor([5.0, 6.5, 2.5, 1.0], dtype=torch.float64)
    assert torch.allclose(carried.affine @ new, affine @ old)


def test_tracking_can_be_switched_off() -> None:
    set_track_meta(False)
    try:
        assert not isinstance(carry_meta(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)), MetaTensor)
    finally:
        set_track_meta(True)


def test_rate_and_pixels_of_anything() -> None:
    assert frame_rate_of(np.zeros((1, 2, 2))) is None
    assert frame_rate_of(MetaTensor(torch.zeros(1, 2, 2), meta={"frame_rate": 0.0})) is None
    assert type(plain(MetaTensor(torch.zeros(1, 2, 2)))) is torch.Tensor
    assert plain(np.ones(3)).sum() == 3
