# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What can be asked of procedural clips, and how the answer is read off a clip.

All answers but first frames come from the masks that one segmenter, trained on real procedural clips, finds in the
images: what it gets wrong on real clips, whose truth is exact, is in the table too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.faithfulness import measures
from monai_feat.data import NiftiClipWriter, PhantomDataset

__all__ = ["QUESTIONS", "Question", "held_out_clips"]

_KINDS = "monai_feat.conditions"
HELD_OUT_SEED = 1_000_003
FIRST_FRAMES = 4


@dataclass(frozen=True)
class Question:
    """Something to ask of clips.

    Attributes:
        modality: of the procedural clips that have it.
        condition: the condition as a bundle config says it.
        measure: reads the answer off the masks ``(N, 1, T, H, W)`` and images ``(N, C, T, H, W)``, uint8, of clips.
        compare: scores measured answers by what was asked; both start with N.
        num_classes: of the answer where it is a class; clips are asked for each as often. 0 for other answers.
    """

    modality: str
    condition: dict[str, Any]
    measure: Callable[[Tensor, Tensor], Tensor]
    compare: Callable[[Tensor, Tensor], dict[str, float]]
    num_classes: int = 0

    @property
    def name(self) -> str:
        """Name of the condition."""
        return str(self.condition["name"])

    @property
    def files(self) -> bool:
        """Whether prompts are files."""
        return self.name in ("first_frames", "label")

    def truth(self, items: Sequence[dict[str, Any]]) -> Tensor:
        """Return the true answers of procedural clips."""
        if self.name == "label":
            return torch.stack([item["label"] for item in items])
        if self.name == "first_frames":
            return torch.stack([item["pixels"][:, :FIRST_FRAMES] for item in items])
        return torch.tensor([item["attributes"][self.name] for item in items])

    def prompts(self, truth: Tensor, folder: Path) -> dict[str, list[float] | list[str]]:
        """Return the prompts that ask for these answers; files go into a folder."""
        if not self.files:
            return {self.name: [round(value, 4) for value in truth.tolist()]}
        folder.mkdir(parents=True, exist_ok=True)
        return {self.name: [_write(clip, folder / f"{self.name}_{i:04d}.nii.gz") for i, clip in enumerate(truth)]}


def _write(clip: Tensor, path: Path) -> str:
    writer = NiftiClipWriter()
    writer.set_data_array(clip)
    writer.set_metadata({"frame_rate": 1.0})
    writer.write(path, verbose=False)
    return str(path)


def _condition(kind: str, name: str, **bounds: float) -> dict[str, Any]:
    return {"_target_": f"{_KINDS}.{kind}", "name": name, **bounds}


def _on_masks(measure: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda masks, images: measure(masks)


_FRACTION = _condition("ScalarCondition", "ejection_fraction", minimum=0.25, maximum=0.7)
_STARTS = partial(
    Question,
    condition=_condition("FirstFramesCondition", "first_frames", max_frames=FIRST_FRAMES),
    measure=lambda masks, images: images,
    compare=measures.start_psnr,
)
_MASKS = partial(
    Question,
    condition=_condition("MaskCondition", "label", num_labels=2),
    measure=_on_masks(lambda masks: masks),
    compare=measures.mask_iou,
)
_EJECTION_CLASS = Question(
    "ultrasound",
    _condition("ClassCondition", "class", num_classes=3),
    _on_masks(lambda masks: measures.fraction_classes(measures.ejection_fractions(masks))),
    measures.share_of_hits,
    num_classes=3,
)
_POLYP = Question(
    "endoscopy",
    _condition("ClassCondition", "polyp_present", num_classes=2),
    _on_masks(measures.polyps_present),
    measures.share_of_hits,
    num_classes=2,
)
_EJECTION_FRACTION = Question("ultrasound", _FRACTION, _on_masks(measures.ejection_fractions), measures.number_scores)

QUESTIONS: dict[str, Question] = {
    "ejection_fraction": _EJECTION_FRACTION,
    "ejection_class": _EJECTION_CLASS,
    "polyp_present": _POLYP,
    "first_frames": _STARTS("ultrasound"),
    "first_frames_endoscopy": _STARTS("endoscopy"),
    "mask": _MASKS("ultrasound"),
    "mask_endoscopy": _MASKS("endoscopy"),
}


def held_out_clips(question: Question, num_clips: int, size: int, num_frames: int) -> list[dict[str, Any]]:
    """Render procedural clips that no training sees, of each class as often; ``pixels`` are uint8."""
    clips = PhantomDataset(question.modality, 100 * num_clips, HELD_OUT_SEED, size, num_frames)
    wanted = list(range(num_clips))
    if question.num_classes:
        wanted = []
        for number in range(question.num_classes):
            share = len(range(number, num_clips, question.num_classes))
            of_class = (i for i in range(len(clips)) if clips.attributes(i)[question.name] == number)
            wanted += [index for index, _ in zip(of_class, range(share), strict=False)]
    return [{**clips[index], "pixels": clips.clip(index).image} for index in wanted]
