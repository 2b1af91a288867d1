# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.transforms import Compose

from monai_feat.transforms.ultrasound import (
    CropToFieldd,
    DetectUltrasoundFieldd,
    MaskOutsideFieldd,
    RandSectorAffine,
    RandSectorAffined,
    RandSpeckleIntensityd,
    RemoveStaticOverlayd,
    UltrasoundField,
    field_of,
    record_field,
)
from tests.monai_feat.transforms.ultrasound.fields import SECTOR, speckled

TRUTH = UltrasoundField.of(SECTOR, 64, 64)


def _item() -> dict[str, Any]:
    label = torch.zeros(1, 6, 64, 64, dtype=torch.uint8)
    label[..., 20:40, 22:38] = 2
    label[..., :4, :4] = 1
    return {"image": record_field(speckled(SECTOR), TRUTH), "label": label, "id": 7}


def test_the_whole_chain_replays_by_seed_and_batches_of_keys_stay_aligned() -> None:
    keys = ["image", "label"]
    chain = Compose(
        [
            DetectUltrasoundFieldd("image"),
            RemoveStaticOverlayd("image"),
            MaskOutsideFieldd(keys, "image", label_keys=["label"]),
            CropToFieldd(keys, "image", margin=2),
            RandSectorAffined(keys, "image", mode=["bilinear", "nearest"], prob=1.0),
            RandSpeckleIntensityd("image", prob=1.0),
        ]
    )
    one, other, third = (chain.set_random_state(seed)(_item()) for seed in (5, 5, 6))
    for key in keys:
        assert torch.equal(one[key].as_tensor(), other[key].as_tensor())
        assert not torch.equal(one[key].as_tensor(), third[key].as_tensor())
    assert one["label"].shape[-2:] == one["image"].shape[-2:]
    assert set(one["label"].unique().tolist()) <= {0, 2}
    assert one["id"] == 7


def test_a_label_goes_where_the_echoes_go() -> None:
    item = _item()
    bright = torch.where(item["label"] == 2, 255, 0).to(torch.uint8)
    item["image"] = record_field(item["image"], TRUTH, bright)
    warped = RandSectorAffined(["image", "label"], "image", ["bilinear", "nearest"], prob=1.0).set_random_state(1)(item)
    shown, marked = warped["image"].as_tensor() > 127, warped["label"].as_tensor() == 2
    assert float((shown & marked).sum() / (shown | marked).sum()) > 0.97


def test_the_twin_does_what_the_array_transform_does() -> None:
    item = _item()
    twin = RandSectorAffined("image", "image", prob=1.0).set_random_state(3)(item)["image"]
    alone = RandSectorAffine(prob=1.0).set_random_state(3)(item["image"])
    assert torch.equal(twin.as_tensor(), alone.as_tensor())
    assert field_of(twin).geometry == field_of(alone).geometry


def test_masking_a_float_label_gives_background_not_black() -> None:
    item = _item()
    item["label"] = item["label"].float()
    masked = MaskOutsideFieldd(["image", "label"], "image", label_keys=["label"])(item)
    assert (masked["label"].as_tensor()[..., ~TRUTH.mask] == 0).all()


def test_a_missing_source_and_frames_of_another_size_are_named() -> None:
    with pytest.raises(KeyError, match="'scan'"):
        CropToFieldd("image", "scan")(_item())
    item = _item()
    item["label"] = item["label"][..., ::2]
    with pytest.raises(ValueError, match="the frames of 'label'"):
        CropToFieldd(["image", "label"], "image")(item)
