# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
import torch
from monai.data import list_data_collate
from torch.utils.data import DataLoader

from monai_feat.data import PHANTOMS, PhantomDataset, endoscopy_phantom, get_phantom
from monai_feat.data.phantoms import PHANTOM_CLASSES, phantom_class


@pytest.mark.parametrize("kind", sorted(PHANTOMS))
def test_items_are_in_network_range_and_batch(kind: str) -> None:
    dataset = PhantomDataset(kind, 3, size=(24, 32), num_frames=2)
    batch = next(iter(DataLoader(dataset, batch_size=3, collate_fn=list_data_collate)))
    channels = 3 if kind == "endoscopy" else 1
    assert batch["image"].shape == (3, channels, 2, 24, 32)
    assert batch["label"].shape == (3, 1, 2, 24, 32)
    assert batch["image"].dtype == torch.float32
    assert batch["label"].dtype == torch.uint8
    assert batch["image"].min() == -1
    assert batch["image"].max() <= 1
    assert all(value.shape == (3,) for value in batch["attributes"].values())


def test_item_depends_on_seed_and_index_only() -> None:
    dataset = PhantomDataset("ultrasound", 6, seed=4, size=16, num_frames=2)
    forward = [dataset[i]["image"] for i in range(6)]
    backward = [dataset[i]["image"] for i in reversed(range(6))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forward, backward, strict=True))
    longer = PhantomDataset("ultrasound", 60, seed=4, size=16, num_frames=2)
    assert torch.equal(longer[5]["image"], forward[5])
    assert torch.equal(dataset[-1]["image"], forward[5])
    others = PhantomDataset("ultrasound", 6, seed=5, size=16, num_frames=2)
    pool = forward + [others[i]["image"] for i in range(6)]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(pool, 2))


def test_item_is_the_clip_rescaled() -> None:
    dataset = PhantomDataset("endoscopy", 1, size=16, num_frames=2)
    item, clip = dataset[0], dataset.clip(0)
    torch.testing.assert_close(item["image"], clip.image / 127.5 - 1)
    assert torch.equal(item["label"], clip.mask)
    assert item["attributes"].items() >= clip.attributes.items()


def test_transform_and_generator_options_are_used() -> None:
    dataset = PhantomDataset("endoscopy", 4, size=16, num_frames=1, transform=lambda d: d["label"], polyp_probability=0)
    assert sum(int(dataset[i].sum()) for i in range(4)) == 0
    assert PhantomDataset("endoscopy", 1, size=16, num_frames=1, frame_rate=5.0)[0]["frame_rate"] == 5.0


def test_iteration_ends() -> None:
    assert len(list(PhantomDataset("ultrasound", 3, size=16, num_frames=1))) == 3
    assert list(PhantomDataset("ultrasound", 0)) == []


def test_unknown_kind_lists_the_known() -> None:
    assert get_phantom("endoscopy") is endoscopy_phantom
    with pytest.raises(ValueError, match=r"unknown phantom 'mri'; the known ones are \['endoscopy', 'ultrasound'\]"):
        PhantomDataset("mri", 1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [({"length": -1}, "length"), ({"size": 4}, "size"), ({"num_frames": 0}, "num_frames"), ({"seed": -2}, "seed")],
)
def test_bad_arguments_are_refused_at_once(bad: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PhantomDataset("endoscopy", **{"length": 1, **bad})


def test_index_outside_the_set() -> None:
    with pytest.raises(IndexError, match="index 2 is outside a set of 2 clips"):
        PhantomDataset("endoscopy", 2)[2]


@pytest.mark.parametrize("kind", PHANTOMS)
def test_attributes_are_known_without_rendering(kind: str) -> None:
    phantoms = PhantomDataset(kind, 6, size=32, num_frames=3)
    for index in (0, 5, -1):
        attributes = phantoms.attributes(index)
        assert attributes == phantoms[index]["attributes"]
        assert PHANTOM_CLASSES[kind][int(attributes["class"])] == phantom_class(kind, attributes)
    with pytest.raises(IndexError, match="index 6 is outside"):
        phantoms.attributes(6)
