# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import torch

from evaluation.memorisation.descriptors import thumbnails
from evaluation.memorisation.parts import match_parts
from evaluation.memorisation.planting import DISGUISED, plant
from monai_feat.data import PhantomDataset

SEEN, UNSEEN = (PhantomDataset("ultrasound", 8, seed=seed, size=64, num_frames=12) for seed in (0, 1))
VIDEOS = [SEEN.clip(i).image for i in range(8)]
TRAIN = thumbnails(video[:, 4:8] for video in VIDEOS)
CLEAN = [UNSEEN.clip(i).image[:, 4:8] for i in range(8)]


def test_disguised_copies_are_nearer_than_clean_clips_and_named() -> None:
    kinds = [kind for kind in DISGUISED if kind != "blurred through 1/8 size"]  # for coarse maps of whole frames
    rng = np.random.default_rng(0)
    copies = [plant(kind, VIDEOS[5], CLEAN[0], rng) for kind in kinds]
    match = match_parts(thumbnails(copies + CLEAN[1:]), TRAIN)
    assert match.train[: len(kinds)].tolist() == [5] * len(kinds)
    assert match.similarity[: len(kinds)].min() > match.similarity[len(kinds) :].max()
    how = dict(zip(kinds, match.how, strict=False))
    assert how["upside down"] == "upside down"
    assert how["inverted"] == "grey levels inverted"
    assert how["caption bar over 1/8 of the rows"] == ""
    assert "times as large" in how["inset at 80 %"]


def test_a_training_clip_agrees_with_itself_fully_and_a_mirrored_one_is_told() -> None:
    match = match_parts(torch.cat([TRAIN, TRAIN.flip(-1)]), TRAIN)
    assert match.train.tolist() == [*range(8)] * 2
    assert match.similarity.min() > 0.8
    assert match.flipped.tolist() == [False] * 8 + [True] * 8
    assert match.offset.abs().max() == 0


def test_clips_that_show_nothing_agree_with_nothing() -> None:
    assert match_parts(torch.zeros_like(TRAIN[:1]), TRAIN).similarity.abs().max() < 1e-6
