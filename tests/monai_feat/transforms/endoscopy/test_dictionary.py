# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.transforms import endoscopy


@pytest.fixture(scope="module")
def item(scenes) -> dict[str, torch.Tensor]:  # type: ignore[no-untyped-def]
    truth = scenes.aperture("disc", (80, 96))
    clip = scenes.seen_through(scenes.tissue(0, (80, 96), 2), truth)
    return {"image": clip, "label": truth.to(torch.uint8).expand(1, 2, 80, 96)}


def test_all_keys_are_cropped_to_the_field_of_one_and_back(item: dict[str, torch.Tensor]) -> None:
    crop = endoscopy.CropToFieldOfViewd(["image", "label"], source_key="image")
    cropped = crop(item)
    assert cropped["image"].shape[1:] == cropped["label"].shape[1:]
    assert cropped["label"].shape[-1] < 96
    assert cropped["label"].sum() >= 0.98 * item["label"].sum()
    back = crop.inverse(cropped)
    assert back["image"].shape == item["image"].shape
    assert (back["label"].as_tensor() != item["label"]).float().mean() < 0.01
    single = endoscopy.CropToFieldOfView()(item["image"])
    assert torch.equal(cropped["image"], single)


def test_frames_of_another_size_are_refused(item: dict[str, torch.Tensor]) -> None:
    crop = endoscopy.CropToFieldOfViewd(["image", "label"], source_key="image")
    with pytest.raises(ValueError, match=r"frame of 'label' is \(40, 48\)"):
        crop({"image": item["image"], "label": item["label"][..., ::2, ::2]})


@pytest.mark.parametrize("name", ["DetectFieldOfView", "MaskBurntIn", "RemoveBurntIn"])
def test_twins_do_what_the_array_transforms_do(item: dict[str, torch.Tensor], name: str) -> None:
    after = getattr(endoscopy, name + "d")("image")(item)
    expected = getattr(endoscopy, name)()(item["image"])
    assert torch.equal(after["image"], expected)
    assert after["image"].meta.keys() == expected.meta.keys()
    assert after["label"] is item["label"]
    assert getattr(endoscopy, name + "D") is getattr(endoscopy, name + "Dict") is getattr(endoscopy, name + "d")


def test_specular_masks_come_beside_their_clips(item: dict[str, torch.Tensor]) -> None:
    after = endoscopy.DetectSpecularHighlightsd("image", postfix="wet")(item)
    assert torch.equal(after["image_wet"], endoscopy.DetectSpecularHighlights()(item["image"]))
    with pytest.raises(KeyError, match="missing"):
        endoscopy.DetectSpecularHighlightsd("missing")(item)
