# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips with their masks as further channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai.utils import convert_to_tensor
from torch.utils.data import Dataset

from monai_feat.transforms.labels import check_label_channels, join_labels

__all__ = ["LabelledClips"]


class LabelledClips(Dataset[dict[str, Any]]):
    """A data set whose ``image`` is a labelled clip, so that all that takes clips takes masks along; see `join_labels`.

    Args:
        dataset: items with ``image``, ``(C, T, H, W)`` in [-1, 1], and ``label``, whole numbers ``(1, T, H, W)``:
            classes, or `monai_feat.transforms.UNKNOWN_LABEL`. Everything else in an item stays.
        label_channels: number of classes K, the background among them.

    Raises:
        ValueError: K is out of range. An item raises it where its mask holds other classes, or there is none.

    Example:
        >>> from monai_feat.data import PhantomDataset
        >>> clips = LabelledClips(PhantomDataset("ultrasound", length=1, size=32, num_frames=2), label_channels=2)
        >>> tuple(clips[0]["image"].shape)
        (3, 2, 32, 32)
    """

    def __init__(self, dataset: Dataset[dict[str, Any]], label_channels: int) -> None:
        check_label_channels(label_channels)
        self.dataset = dataset
        self.label_channels = label_channels

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = dict(self.dataset[index])
        if "label" not in item:
            raise ValueError(f"expected items with a 'label'; item {index} has {sorted(item)}")
        image, label = (convert_to_tensor(item[key], track_meta=False) for key in ("image", "label"))
        return {**item, "image": join_labels(image, label, self.label_channels), "label": label}

    def clip_key(self, index: int) -> str | None:
        """Return the key of a clip that `LatentDataset` asks for; None where the data set knows none."""
        key = self.dataset.clip_key(index) if hasattr(self.dataset, "clip_key") else None
        return None if key is None else f"{key} with {self.label_channels} label channels"

    def attributes(self, index: int) -> Mapping[str, Any]:
        """Return what the data set knows of a clip without reading it, see `LatentDataset`."""
        return self.dataset.attributes(index) if hasattr(self.dataset, "attributes") else {}
