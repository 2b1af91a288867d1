# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from monai_feat.data.folder_search.names import folder_role, mask_rank, split_mask_suffix


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (
            "pictures",
            "Frame frames left_frames right_frames images imgs Original Videos JPEGImages imagesTr train_images "
            "images_C1 Bilder",
        ),
        (
            "masks",
            "GT gts ground_truth GroundTruth Ground-Truth labels masks Annotations SegmentationClass labelsTr "
            "Edge masks_C1 trainval-mask Masken máscaras",
        ),
        ("", "Dataset_BUSI_with_GT segmented-images labeled-videos patient0001 TrainDataset train left benign"),
    ],
)
def test_folders_say_what_they_hold(role: str, names: str) -> None:
    assert {name: folder_role(name) for name in names.split()} == dict.fromkeys(names.split(), role)
    assert folder_role("Ground Truth") == "masks"


def test_masks_are_ranked() -> None:
    ranked = ["_watershed_mask", "_mask", "_gt", "_mask_1", "_color_mask"]
    assert list(map(mask_rank, ranked[:3])) == sorted(map(mask_rank, ranked[:3]))
    assert max(map(mask_rank, ranked[:3])) < min(map(mask_rank, ranked[3:]))
    assert mask_rank("GT") < mask_rank("Scribble") < mask_rank("Edge")


def test_what_is_no_ending_of_a_mask_stays() -> None:
    for stem in ("frame_80_endo", "amask", "mask", "unmasked_1", "patient_labeled"):
        assert split_mask_suffix(stem) is None
    assert split_mask_suffix("p1_2CH_half_sequence_gt") == ("p1_2CH_half_sequence", "_gt")
