# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Generators whose use is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from downstream.clips import prepare_clips
from downstream.generators import GENERATORS, Request
from downstream.study import Data, Generator, Phantoms
from monai_feat.data import ClipItem, load_clip

DATA = Data("ultrasound", phantoms=Phantoms("ultrasound", 4, 4, num_folds=2), frame_size=32, num_frames=2)


def ask(kind: str, folder: Path, seed: int = 0) -> tuple[list[ClipItem], list[ClipItem]]:
    """Return training clips, and six synthetic ones."""
    train = prepare_clips(DATA, folder / "clips", seed=0, progress=False).training
    request = Request(DATA, Generator(kind), train, 6, folder / f"{kind}{seed}", seed)  # type: ignore[arg-type]
    return list(train), GENERATORS[kind](request)


def pixels(items: list[ClipItem], key: str = "image") -> torch.Tensor:
    return torch.stack([load_clip(getattr(item, key)).as_tensor() for item in items])


@pytest.mark.parametrize("kind", ["phantoms", "copies", "noise"])
def test_clips_come_with_masks_in_the_form_of_real_ones(tmp_path: Path, kind: str) -> None:
    train, made = ask(kind, tmp_path)
    assert pixels(made).shape == (6, *pixels(train).shape[1:])
    assert pixels(made, "label").shape == (6, *pixels(train, "label").shape[1:])
    assert pixels(made).dtype == pixels(made, "label").dtype == torch.uint8
    assert all(item.flags == {"synthetic": 1} and not item.group for item in made)


def test_fresh_phantoms_are_neither_training_clips_nor_alike(tmp_path: Path) -> None:
    train, made = ask("phantoms", tmp_path)
    everything = pixels([*train, *made]).flatten(1).float()
    apart = torch.cdist(everything, everything) + 1e9 * torch.eye(len(everything))
    assert apart.min() > 100
    again = ask("phantoms", tmp_path / "again")[1]
    assert torch.equal(pixels(made), pixels(again))
    assert not torch.equal(pixels(made), pixels(ask("phantoms", tmp_path / "other", seed=1)[1]))


def test_copies_are_training_clips(tmp_path: Path) -> None:
    train, made = ask("copies", tmp_path)
    for key in ("image", "label"):
        assert torch.equal(pixels(made, key), pixels([*train, *train[:2]], key))


def test_noise_shows_nothing_under_masks_of_training_clips(tmp_path: Path) -> None:
    train, made = ask("noise", tmp_path)
    assert torch.equal(pixels(made, "label"), pixels([*train, *train[:2]], "label"))
    assert pixels(made).float().mean().item() == pytest.approx(127.5, abs=2)
    assert pixels(made).float().std().item() == pytest.approx(73.9, abs=2)
