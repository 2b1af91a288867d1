# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.faithfulness.questions import QUESTIONS, held_out_clips
from monai_feat.data import load_clip


@pytest.mark.parametrize("name", QUESTIONS)
def test_real_clips_are_what_they_are(name: str) -> None:
    """With the true masks and the true images, every answer is right, or nearly."""
    question = QUESTIONS[name]
    items = held_out_clips(question, 6, size=64, num_frames=16)
    masks, images = (torch.stack([item[key] for item in items]) for key in ("label", "pixels"))
    truth = question.truth(items)
    scores = question.compare(truth, question.measure(masks, images))
    least = {"correlation": 0.95, "accuracy": 0.66, "IoU": 1.0, "PSNR of the first frames (dB)": torch.inf}
    assert all(value >= least[score] for score, value in scores.items() if score in least)
    if question.num_classes:
        assert torch.bincount(truth.long()).tolist() == [6 // question.num_classes] * question.num_classes


@pytest.mark.parametrize("name", ["first_frames", "mask_endoscopy"])
def test_prompts_of_frames_are_files(name: str, tmp_path: Path) -> None:
    question = QUESTIONS[name]
    truth = question.truth(held_out_clips(question, 2, size=32, num_frames=5))
    (files,) = question.prompts(truth, tmp_path / "prompts").values()
    for file, clip in zip(files, truth, strict=True):
        assert torch.equal(load_clip(str(file)).as_tensor(), clip)
