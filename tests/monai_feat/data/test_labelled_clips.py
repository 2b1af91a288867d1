# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from monai_feat.data import LabelledClips, LatentDataset, PhantomDataset
from monai_feat.transforms import join_labels


def test_items_are_image_and_mask_in_one() -> None:
    phantoms = PhantomDataset("ultrasound", 2, size=32, num_frames=3)
    clips = LabelledClips(phantoms, 2)
    assert len(clips) == 2
    item, raw = clips[1], phantoms[1]
    torch.testing.assert_close(item["image"], join_labels(raw["image"], raw["label"], 2))
    assert torch.equal(item["label"], raw["label"])
    assert sorted(item) == ["attributes", "frame_rate", "image", "label"]
    assert clips.attributes(1) == phantoms.attributes(1)
    assert LabelledClips([{}], 2).attributes(0) == {}  # type: ignore[arg-type]


def test_keys_tell_labelled_clips_from_others() -> None:
    phantoms = PhantomDataset("ultrasound", 2, size=32, num_frames=3)
    keys = {phantoms.clip_key(0), *(LabelledClips(phantoms, channels).clip_key(0) for channels in (2, 3))}
    assert len(keys) == 3
    assert LabelledClips([{}], 2).clip_key(0) is None  # type: ignore[arg-type]


def test_latents_of_labelled_clips_are_cached(tmp_path: object) -> None:
    class Half(torch.nn.Module):
        def encode_moments(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x[..., ::2, ::2], torch.zeros_like(x[..., ::2, ::2])

    clips = LabelledClips(PhantomDataset("ultrasound", 1, size=32, num_frames=2), 2)
    moments = LatentDataset(clips, Half(), cache_dir=str(tmp_path), progress=False)[0]
    torch.testing.assert_close(moments["latent_mean"], clips[0]["image"][..., ::2, ::2])


def test_metadata_are_left_behind() -> None:
    item = {"image": MetaTensor(torch.zeros(1, 1, 2, 2)), "label": MetaTensor(torch.ones(1, 1, 2, 2).byte())}
    labelled = LabelledClips([item], 2)[0]  # type: ignore[arg-type]
    assert type(labelled["image"]) is type(labelled["label"]) is torch.Tensor


def test_errors() -> None:
    with pytest.raises(ValueError, match="label_channels from 2 to 255"):
        LabelledClips([], 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected items with a 'label'; item 0 has \['image'\]"):
        LabelledClips([{"image": torch.zeros(1, 1, 2, 2)}], 2)[0]  # type: ignore[arg-type]
