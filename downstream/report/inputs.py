# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study hands to its report: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ..metric_table import METRICS, TOLERANCE
from ..questions import Question
from ..scores import Score, check_unique

__all__ = ["ArmKind", "Example", "ReportArm", "ReportInput", "Sample"]

ArmKind = Literal["reference", "synthetic", "control", "bound", "baseline"]


@dataclass(frozen=True)
class ReportArm:
    """One arm, as the report shows it.

    Attributes:
        name: as in the scores.
        kind: ``reference``: what all are compared with; ``synthetic``: the question; ``control``: what synthetic clips
            have to beat or must not need; ``bound``: what more real clips bring, which is no reason to doubt a gain;
            ``baseline``: looks at no picture, shown and not tested.
        description: what it is trained on, and why.
        ratio: synthetic clips for each real one, for arms that are one dose–response curve; None for all others.
        caveat: what a reader of an answer about it must know; empty for nothing.
    """

    name: str
    kind: ArmKind
    description: str = ""
    ratio: float | None = None
    caveat: str = ""


@dataclass(frozen=True)
class Example:
    """One clip to look at, with the masks that arms predicted.

    Attributes:
        patient: whose clip it is.
        clip: its name.
        image: uint8 ``(C, T, H, W)``.
        truth: classes, uint8 ``(1, T, H, W)``.
        predictions: likewise, by arm; the reference among them.
        fraction: of the real data that the arms were trained on.
        seed: of their training.
        frame_rate: Hz.
    """

    patient: str
    clip: str
    image: Tensor = field(repr=False, compare=False)
    truth: Tensor = field(repr=False, compare=False)
    predictions: Mapping[str, Tensor] = field(repr=False, compare=False)
    fraction: float = 1.0
    seed: int = 0
    frame_rate: float = 10.0

    def __post_init__(self) -> None:
        for name, mask in {"truth": self.truth, **self.predictions}.items():
            _check_mask(self.image, mask, f"{self.clip}, {name}")


@dataclass(frozen=True)
class Sample:
    """A synthetic clip to look at, with its mask.

    Attributes:
        generator: that made it, such as ``fold 0``.
        clip: its name.
        image: uint8 ``(C, T, H, W)``.
        mask: classes, uint8 ``(1, T, H, W)``.
        frame_rate: Hz.
    """

    generator: str
    clip: str
    image: Tensor = field(repr=False, compare=False)
    mask: Tensor = field(repr=False, compare=False)
    frame_rate: float = 10.0

    def __post_init__(self) -> None:
        _check_mask(self.image, self.mask, self.clip)


def _check_mask(image: Tensor, mask: Tensor, whose: str) -> None:
    if mask.dtype != torch.uint8 or tuple(mask.shape) != (1, *image.shape[1:]):
        expected = f"a uint8 mask {(1, *image.shape[1:])}, as large as the image"
        raise ValueError(f"{whose}: expected {expected}; got {mask.dtype} {tuple(mask.shape)}")


@dataclass(frozen=True)
class ReportInput:
    """All that a report is made of.

    Attributes:
        title: of the page.
        scores: of all jobs; arms are compared at equal fraction, fold, seed and clip.
        arms: in the order of the report, exactly one of them the reference; every arm of the scores is among them.
        smallest_effect: smallest difference of `metric` that would matter, declared before the study was run.
        questions: what was declared to be asked, the leading one first.
        surface_tolerance: pixels by which outlines may differ and still agree.
        metric: that the verdict is about; the others are shown beside it.
        examples: clips to look at; see `extreme_clips` for which.
        samples: synthetic clips to look at, not chosen by their looks.
        evaluations: ``report.json`` of ``monai-feat evaluate`` for the same generator, by a label such as ``fold 0``.
        minutes: what the arms took, by arm, and what else took time, such as ``generator``.
        notes: what a reader must know, such as jobs that failed.
        settings: the study file in full.
        command: that makes this again.
        versions: of the software.

    Raises:
        ValueError: the arms have no reference or several, scores are of unknown arms or occur twice, the metric is
            unknown, or the smallest effect is not above 0.
    """

    title: str
    scores: Sequence[Score] = field(repr=False)
    arms: Sequence[ReportArm]
    smallest_effect: float
    questions: Sequence[Question] = ()
    surface_tolerance: float = TOLERANCE
    metric: str = "dice"
    examples: Sequence[Example] = ()
    samples: Sequence[Sample] = ()
    evaluations: Mapping[str, Path] = field(default_factory=dict)
    minutes: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        references = [arm.name for arm in self.arms if arm.kind == "reference"]
        if len(references) != 1:
            raise ValueError(f"expected exactly one arm of kind 'reference', got {references}")
        names = [arm.name for arm in self.arms]
        if unknown := sorted({score.arm for score in self.scores} - set(names)):
            raise ValueError(f"there are scores of {unknown}, which are not among the arms {names}")
        if self.metric not in METRICS:
            raise ValueError(f"unknown metric {self.metric!r}; known are {', '.join(METRICS)}")
        if not self.smallest_effect > 0:
            raise ValueError(f"expected a smallest effect above 0, got {self.smallest_effect}")
        check_unique(self.scores)

    @property
    def reference(self) -> str:
        """Name of the arm that all others are compared with."""
        return next(arm.name for arm in self.arms if arm.kind == "reference")

    def named(self, *kinds: ArmKind) -> list[str]:
        """Return the names of the arms of some kinds that have scores, in their order."""
        scored = {score.arm for score in self.scores}
        return [arm.name for arm in self.arms if arm.kind in kinds and arm.name in scored]
