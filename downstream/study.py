# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study is: data, generator, arms, how much real data, folds, seeds, budget and the smallest effect.

The fields of these classes are the keys of a study file; `study_file.read_study` reads one.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from monai_feat.data import PHANTOMS
from monai_feat.transforms import Fit
from monai_feat.transforms.video.functional import OnShort

from .arms import REFERENCE, Arm, get_arm
from .metric_table import TOLERANCE
from .questions import Question, leading_arm

__all__ = ["Data", "Generator", "Phantoms", "Study", "StudyError", "Training"]

GeneratorKind = Literal["none", "bundle", "bundle_from_masks", "trained", "phantoms", "copies", "noise"]
_TRAINED_IN_FOLDS = ("bundle", "bundle_from_masks")
_WITH_AUTOENCODER = (*_TRAINED_IN_FOLDS, "trained")


class StudyError(ValueError):
    """A study that cannot be run as it is; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Phantoms:
    """Procedural patients in the place of data, see docs/phantoms.md.

    Attributes:
        kind: ``endoscopy`` or ``ultrasound``.
        num_clips: clips in all.
        num_patients: patients that they are of.
        num_folds: folds of the patients.
        seed: another seed gives other patients.
    """

    kind: Literal["endoscopy", "ultrasound"]
    num_clips: int
    num_patients: int
    num_folds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        _expect(self.kind in PHANTOMS, f"data.phantoms.kind is one of {sorted(PHANTOMS)}", self.kind)
        _expect(self.num_folds >= 2, "data.phantoms.num_folds is at least 2", self.num_folds)


@dataclass(frozen=True)
class Data:
    """Real clips with masks and patients, and the form in which every arm sees them.

    Attributes:
        modality: what the clips are, such as ``endoscopy``; grey where it is ``ultrasound``.
        datalist: a file by ``monai-feat datalist``; its held-out test is not touched.
        phantoms: procedural clips instead.
        num_classes: classes of the masks, the background among them.
        frame_size: rows and columns in pixels.
        num_frames: frames of a clip; 1 for stills.
        frame_rate: frames per second, Hz; None keeps that of each clip.
        fit: ``pad`` keeps the whole picture, on black; ``crop`` fills the frame.
        on_short: ``error``, or ``loop`` to play shorter clips to and fro.
    """

    modality: str
    datalist: Path | None = None
    phantoms: Phantoms | None = None
    num_classes: int = 2
    frame_size: int = 64
    num_frames: int = 16
    frame_rate: float | None = None
    fit: Fit = "pad"
    on_short: OnShort = "error"

    @property
    def rate(self) -> float | None:
        """Hz at which clips are cut; None for as they are, as stills always are."""
        return self.frame_rate if self.num_frames > 1 else None

    def __post_init__(self) -> None:
        _expect(
            (self.datalist is None) != (self.phantoms is None), "data has a datalist or phantoms, one of them", self
        )
        _expect(self.num_classes >= 2, "data.num_classes counts the background too and is at least 2", self.num_classes)
        _expect(
            self.frame_size > 16 and self.frame_size % 16 == 0,
            "data.frame_size is a multiple of 16, from 32",
            self.frame_size,
        )
        _expect(self.num_frames >= 1, "data.num_frames is at least 1", self.num_frames)
        if self.phantoms is not None:
            _expect(
                self.modality == self.phantoms.kind, f"data.modality is {self.phantoms.kind}, as the phantoms are", self
            )

    @property
    def image_channels(self) -> int:
        """1 for ultrasound, 3 for everything else."""
        return 1 if self.modality == "ultrasound" else 3


@dataclass(frozen=True)
class Generator:
    """Where synthetic clips come from.

    Attributes:
        kind: ``bundle``: trained in each fold, for each fraction, on the training patients there and no others; it
            makes clips with their masks. ``bundle_from_masks``: trained alike, and asked for images under the masks of
            the training clips, mirrored every second time round. ``trained``: as it is, accepted where no patient of a
            test fold trained it. ``phantoms``, ``copies`` and ``noise``: fresh procedural clips, training clips again,
            and noise under the masks of training clips, for studies whose outcome is known. ``none``.
        bundle: folder of the diffusion bundle, or in a file the name of a shipped one.
        start: ``shipped`` goes on from the weights in the bundle, ``scratch`` from nothing.
        autoencoder_steps: optimiser steps of the autoencoder; 0 takes the shipped one as it is, which
            ``bundle_from_masks`` can.
        feat_steps: optimiser steps of FEAT.
        sampling_steps: steps of the sampler.
        guidance_scale: how much more of the masks ``bundle_from_masks`` asks for than the network gives by itself.
        autoencoder_weights: of a trained generator.
        network_weights: of a trained generator.
        training_groups: patients that a trained generator was trained on, as the datalist names them.
        seed: of training and sampling.
    """

    kind: GeneratorKind = "none"
    bundle: Path | None = None
    start: Literal["shipped", "scratch"] = "shipped"
    autoencoder_steps: int = 300
    feat_steps: int = 600
    sampling_steps: int = 50
    guidance_scale: float = 2.0
    autoencoder_weights: Path | None = None
    network_weights: Path | None = None
    training_groups: tuple[str, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind in _WITH_AUTOENCODER:
            _expect(self.bundle is not None, f"generator.bundle is a bundle's folder where kind is {self.kind}", None)
        shipped_is_enough = self.kind == "bundle_from_masks" and self.start == "shipped"
        steps = (max(self.autoencoder_steps, shipped_is_enough), self.feat_steps, self.sampling_steps)
        _expect(min(steps) >= 1, "the steps of the generator are at least 1", steps)
        _expect(self.guidance_scale > 0, "generator.guidance_scale is above 0", self.guidance_scale)
        given = {
            "autoencoder_weights": self.autoencoder_weights,
            "network_weights": self.network_weights,
            "training_groups": self.training_groups,
        }
        missing = [name for name, value in given.items() if value is None]
        _expect(
            self.kind != "trained" or not missing,
            "a trained generator names its weights and the patients that it was trained on",
            f"none of {', '.join(missing)}",
        )

    @property
    def knows_shipped(self) -> bool:
        """Whether it goes on from the weights that a bundle ships."""
        return self.kind in _TRAINED_IN_FOLDS and self.start == "shipped"

    @property
    def has_autoencoder(self) -> bool:
        """Whether real clips can be sent through its autoencoder."""
        return self.kind in _WITH_AUTOENCODER


@dataclass(frozen=True)
class Training:
    """How segmentation is trained, alike in all arms.

    Attributes:
        network: ``frame``, or ``clip`` with temporal context.
        steps: optimiser steps, however many clips an arm has.
        batch_size: clips of a step.
        num_frames: frames of each of these, at most as many as clips have.
        learning_rate: at its highest.
        val_interval: steps from one look at the validation patients to the next.
        ema_decay: of averaged weights, in (0, 1) and in all arms; None for none.
    """

    network: Literal["frame", "clip"] = "frame"
    steps: int = 1000
    batch_size: int = 8
    num_frames: int = 4
    learning_rate: float = 1e-3
    val_interval: int = 50
    ema_decay: float | None = None

    def __post_init__(self) -> None:
        _expect(self.network in ("frame", "clip"), "training.network is frame or clip", self.network)
        numbers = (self.steps, self.batch_size, self.num_frames, self.val_interval)
        _expect(min(numbers) >= 1, "training.steps, batch_size, num_frames and val_interval are at least 1", numbers)
        _expect(self.learning_rate > 0, "training.learning_rate is positive", self.learning_rate)
        fits = self.ema_decay is None or 0 < self.ema_decay < 1
        _expect(fits, "training.ema_decay is in (0, 1), or null", self.ema_decay)


@dataclass(frozen=True)
class Study:
    """A whole study.

    Attributes:
        title: of the report.
        data: real clips.
        arms: names in `arms.ARMS`; ``real``, which all are compared with, is one of them.
        generator: of synthetic clips.
        training: of segmentation.
        fractions: shares of the training patients of a fold that an arm may see, in (0, 1].
        folds: test folds; none for all of them.
        seeds: of segmentation training.
        validation_share: share of the patients of a fraction that choose the weights and train nothing, at least one.
        split_seed: decides which patients belong to a fraction and which validate.
        questions: what the study asks; none for whether the leading synthetic arm is better than ``real``.
        smallest_effect: smallest difference of mean Dice that would matter, declared before the study is run.
        surface_tolerance: pixels by which outlines may differ and still agree, for the normalised surface distance.
        fidelity: compare synthetic clips with real ones by ``monai-feat evaluate``, and look for copies.
        imports: Python modules to import first, such as one that registers arms.
    """

    title: str
    data: Data
    arms: tuple[str, ...]
    generator: Generator = field(default_factory=Generator)
    training: Training = field(default_factory=Training)
    fractions: tuple[float, ...] = (1.0,)
    folds: tuple[int, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    validation_share: float = 0.25
    split_seed: int = 0
    questions: tuple[Question, ...] = ()
    smallest_effect: float = 0.02
    surface_tolerance: float = TOLERANCE
    fidelity: bool = True
    imports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for module in self.imports:
            _import(module)
        for name in ("arms", "fractions", "folds", "seeds"):
            values: Sequence[Any] = getattr(self, name)
            _expect(len(set(values)) == len(values), f"{name} lists nothing twice", values)
        _expect(bool(self.fractions) and bool(self.seeds), "fractions and seeds list at least one each", self.title)
        _expect(all(0 < f <= 1 for f in self.fractions), "fractions are in (0, 1]", self.fractions)
        _expect(0 < self.validation_share < 1, "validation_share is in (0, 1)", self.validation_share)
        _expect(self.smallest_effect > 0, "smallest_effect is a positive difference of Dice", self.smallest_effect)
        _expect(self.surface_tolerance >= 0, "surface_tolerance is 0 pixels or more", self.surface_tolerance)
        _expect(REFERENCE in self.arms, f"arms contain {REFERENCE!r}, which the others are compared with", self.arms)
        for arm in map(get_arm, self.arms):
            self._check_arm(arm)
        for question in self.questions:
            self._check_question(question)

    @property
    def largest_ratio(self) -> float:
        """Synthetic clips for each real one that the arms need; 0 where none needs any."""
        return max(get_arm(name).ratio for name in self.arms)

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions in full: those of the study file, or else the one about the leading arm."""
        leading = leading_arm([get_arm(name) for name in self.arms])
        declared = self.questions or ((Question(leading),) if leading else ())
        return tuple(
            replace(
                one,
                margin=self.smallest_effect if one.margin is None else one.margin,
                fraction=self._largest_fraction(one) if one.fraction is None else one.fraction,
            )
            for one in declared
        )

    def _largest_fraction(self, question: Question) -> float:
        both = (question.arm, question.against)
        return max(fraction for fraction in self.fractions if all(self.applies(arm, fraction) for arm in both))

    def applies(self, arm: str, fraction: float) -> bool:
        """Whether an arm exists at a fraction: of all real data, no more is left to add."""
        return fraction < 1 or "extra" not in get_arm(arm).needs

    def _check_arm(self, arm: Arm) -> None:
        _expect(
            self.generator.kind != "none" or not arm.uses_generator,
            f"arm {arm.name!r} has synthetic clips: name a generator, or leave out the arm",
            "generator.kind: none",
        )
        _expect(
            self.generator.has_autoencoder or "reconstructed" not in arm.needs,
            f"arm {arm.name!r} needs a generator with an autoencoder ({', '.join(_WITH_AUTOENCODER)})",
            f"generator.kind: {self.generator.kind}",
        )
        _expect(
            any(self.applies(arm.name, fraction) for fraction in self.fractions),
            f"arm {arm.name!r} needs a fraction below 1, for it adds real clips that the fraction leaves out",
            f"fractions: {list(self.fractions)}",
        )
        _expect(
            arm.unlabelled is None or self.training.ema_decay is not None,
            f"arm {arm.name!r} learns from an averaged teacher: set training.ema_decay, which then holds in all arms",
            f"training.ema_decay: {self.training.ema_decay}",
        )

    def _check_question(self, question: Question) -> None:
        arms = [question.arm, question.against]
        _expect(set(arms) <= set(self.arms), f"questions compare arms of this study ({'; '.join(self.arms)})", arms)
        there = [f for f in self.fractions if all(self.applies(arm, f) for arm in arms)]
        holds = there if question.fraction is None else question.fraction in there
        _expect(bool(holds), f"arms {arms} of a question are compared at one of {there}", question.fraction)


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise StudyError(
            f"imports: {module} cannot be imported ({error}): install it, or put its folder into PYTHONPATH"
        ) from error


def _expect(holds: bool, what: str, got: object) -> None:
    if not holds:
        raise StudyError(f"expected: {what}; got {got}")
