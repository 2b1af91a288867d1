# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a generator is asked for."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
import torch

from downstream.clips import write_clip
from downstream.generators import GENERATORS, Request
from downstream.study import Data, Generator, Phantoms
from monai_feat.data import ClipItem

DATA = Data("ultrasound", phantoms=Phantoms("ultrasound", 2, 2, num_folds=2), frame_size=32, num_frames=2)


def ask(folder: Path, **changes: object) -> Request:
    facts = {"data": DATA, "generator": Generator("phantoms"), "train": (), "num_clips": 12, "seed": 0}
    return Request(folder=folder, **{**facts, **changes})  # type: ignore[arg-type]


def test_stems_lie_below_the_folder_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "fold 0.5"
    stems = [ask(folder).stem(i) for i in (0, 2, 11, 100, 99_999)]
    assert stems == sorted(stems)
    assert [int(stem.name.removeprefix("clip_")) for stem in stems] == [0, 2, 11, 100, 99_999]
    assert all(stem.is_relative_to(folder) and not stem.suffix for stem in stems)


def test_a_clip_and_its_mask_are_written_at_the_stem(tmp_path: Path) -> None:
    image = torch.zeros(1, 2, 32, 32, dtype=torch.uint8)
    stem = ask(tmp_path).stem(3)
    item = write_clip(ClipItem(stem), image, image, stem, 1.0)
    assert item.image.parent == stem.parent
    assert item.image.name.startswith(f"{stem.name}.")
    assert sorted(stem.parent.iterdir()) == sorted([item.image, item.label])  # type: ignore[type-var]


def test_a_generator_makes_as_many_as_asked_in_the_folder_of_the_request(tmp_path: Path) -> None:
    request = ask(tmp_path / "few", num_clips=3)
    made = GENERATORS["phantoms"](request)
    assert [item.image.parent for item in made] == [request.stem(0).parent] * 3
    elsewhere = GENERATORS["phantoms"](replace(request, folder=tmp_path / "again"))
    assert [item.image.read_bytes() for item in elsewhere] == [item.image.read_bytes() for item in made]


def test_a_generator_cannot_change_what_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        ask(tmp_path).num_clips = 7  # type: ignore[misc]
