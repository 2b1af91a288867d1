# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Studies: what they need, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from downstream.arms import ARMS
from downstream.questions import Question
from downstream.study import Data, Generator, Phantoms, StudyError, Training

from .conftest import make_study


def test_the_largest_dose_is_what_the_arms_ask_for() -> None:
    assert make_study().largest_ratio == 1
    assert make_study(arms=("real", "real + synthetic x4", "real + synthetic x0.5")).largest_ratio == 4
    assert make_study(arms=("real", "real repeated"), generator=Generator()).largest_ratio == 0


def test_a_study_that_asks_nothing_asks_for_the_benefit_of_its_leading_arm() -> None:
    study = make_study(arms=("real", "real + synthetic x4", "real + synthetic x0.5"), fractions=(0.5, 1.0))
    assert study.asked == (Question("real + synthetic x0.5", margin=0.02, fraction=1.0),)
    assert make_study(arms=("real", "real repeated"), generator=Generator()).asked == ()


def test_questions_are_completed_and_those_that_cannot_be_asked_are_refused() -> None:
    arms, fractions = ("real", "real + synthetic x1", "real + extra real"), (0.5, 1.0)
    asked = Question("real + synthetic x1", "non-inferiority", against="real + extra real", margin=0.03)
    (found,) = make_study(arms=arms, fractions=fractions, questions=(asked,)).asked
    assert (found.margin, found.fraction) == (0.03, 0.5)
    for wrong in (Question("real + copies"), Question("real + synthetic x1", fraction=0.25)):
        with pytest.raises(StudyError, match=r"questions compare arms of this study|compared at one of"):
            make_study(arms=arms, fractions=fractions, questions=(wrong,))


def test_extra_real_clips_exist_below_the_whole() -> None:
    study = make_study(arms=("real", "real + extra real"), fractions=(0.5, 1.0))
    assert study.applies("real + extra real", 0.5)
    assert not study.applies("real + extra real", 1.0)
    assert study.applies("real", 1.0)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"arms": ("real repeated",)}, "which the others are compared with"),
        ({"arms": ("real", "real")}, "lists nothing twice"),
        ({"arms": ("real", "reel")}, "did you mean 'real'"),
        ({"generator": Generator()}, "'real \\+ synthetic x1' has synthetic clips: name a generator"),
        ({"arms": ("real", "real + reconstructions")}, "needs a generator with an autoencoder"),
        ({"arms": ("real", "real + extra real")}, "needs a fraction below 1"),
        ({"arms": ("real", "semi-supervised, synthetic")}, "set training.ema_decay"),
        ({"fractions": (0.0,)}, r"fractions are in \(0, 1\]"),
        ({"seeds": ()}, "at least one each"),
        ({"smallest_effect": 0.0}, "a positive difference"),
        ({"surface_tolerance": -1.0}, "0 pixels or more"),
        ({"validation_share": 1.0}, "validation_share"),
        ({"imports": ("no_such_module",)}, "imports: no_such_module cannot be imported .*PYTHONPATH"),
    ],
)
def test_what_cannot_be_run_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make_study(**changes)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Data("endoscopy"), "a datalist or phantoms"),
        (lambda: Data("endoscopy", datalist=Path("a"), num_classes=1), "at least 2"),
        (lambda: Data("endoscopy", datalist=Path("a"), frame_size=40), "multiple of 16"),
        (lambda: Data("ultrasound", phantoms=Phantoms("endoscopy", 4, 2)), "as the phantoms are"),
        (lambda: Generator("bundle"), "a bundle's folder"),
        (
            lambda: Generator("trained", bundle=Path("a"), network_weights=Path("b")),
            "autoencoder_weights, training_groups",
        ),
        (lambda: Training(ema_decay=1.0), "ema_decay"),
        (lambda: Training(steps=0), "at least 1"),
    ],
)
def test_parts_are_checked(build: Any, complaint: str) -> None:
    with pytest.raises(StudyError, match=complaint):
        build()


def test_every_arm_can_be_in_a_study() -> None:
    study = make_study(
        arms=tuple(ARMS),
        generator=Generator("bundle", bundle=Path("a")),
        training=Training(ema_decay=0.9),
        fractions=(0.5,),
    )
    assert study.largest_ratio == 4
