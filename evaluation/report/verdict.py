# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation says, in a few plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from monai_feat.visualize import format_number

from ..results import Evaluation, Floor, GateResult, Repeats, Score
from .mending import find_faults, mending_text
from .privacy import about_membership
from .score_text import count, interval_text, number_within, percent, range_text

__all__ = ["Verdict", "lead_score", "verdict"]

_AGAINST = {"train": "the training clips", "held_out": "held-out real clips"}


@dataclass(frozen=True)
class Verdict:
    """The sentences, and how alarming they are."""

    tone: Literal["good", "caution", "alarm"]
    sentences: tuple[str, ...]


def verdict(evaluation: Evaluation) -> Verdict:
    """Return what the lead score says against its floor, what to mend, and what the memorisation gate says.

    Clips that repeat each other come first, and then no score is said to be like that of real clips: with few patients
    a distance misses a generator that has collapsed. The tone is ``alarm`` where copies were found, of training clips
    or of each other, or where the weights tell their patients; ``good`` only where there are no warnings, the gate was
    passed, and so were the weights if they were given, and the lead score lies at its floor; ``caution`` otherwise.
    """
    score = lead_score(evaluation)
    if evaluation.repeats is not None and evaluation.repeats.found:
        is_alarm = evaluation.repeats.are_copies or _are_patients_told(evaluation)
        sentences = (_about_repeats(evaluation.repeats), *_mending(evaluation), *_privacy(evaluation))
        return Verdict("alarm" if is_alarm else "caution", sentences)
    is_like_real, about_score = _about_score(score)
    sentences = (about_score, *_mending(evaluation), *_privacy(evaluation))
    if _are_patients_told(evaluation):
        return Verdict("alarm", sentences)
    is_calibrated = evaluation.membership is None or evaluation.membership.passed
    is_passed = evaluation.gate is not None and evaluation.gate.passed and is_calibrated
    return Verdict("good" if is_passed and is_like_real and not evaluation.warnings else "caution", sentences)


def _are_patients_told(evaluation: Evaluation) -> bool:
    """Whether training clips were found, among the synthetic ones or in the weights."""
    is_told = evaluation.membership is not None and evaluation.membership.tells
    return is_told or bool(evaluation.gate and evaluation.gate.copies)


def _privacy(evaluation: Evaluation) -> tuple[str, ...]:
    weights = (about_membership(evaluation.membership),) if evaluation.membership is not None else ()
    return (_about_gate(evaluation.gate), *weights)


def lead_score(evaluation: Evaluation) -> Score | None:
    """Return the score that the report leads with: the first marked so that may be read, else the first that may be."""
    readable = [score for score in evaluation.scores if score.meaningful and math.isfinite(score.value)]
    return next((score for score in readable if score.lead), readable[0] if readable else None)


def _mending(evaluation: Evaluation) -> tuple[str, ...]:
    """What to mend; beside repeats, which are to be mended first, only a fault that is shown."""
    has_repeats = evaluation.repeats is not None and evaluation.repeats.found
    is_told = find_faults(evaluation.power) if has_repeats else evaluation.power
    return (mending_text(evaluation.power),) if is_told else ()


def _about_score(score: Score | None) -> tuple[bool, str]:
    if score is None:
        return False, "No score could be read: see the notes beside the scores."
    value = number_within(score.value, score.interval) + (f" {score.unit}" if score.unit else "")
    within = (
        f" ({percent(score.interval.level)} interval {interval_text(score.interval, score.value)})"
        if score.interval
        else ""
    )
    subject = f"{score.title} against {_AGAINST[score.reference]} is {value}{within}"
    reach = _reach(score.floor, bool(score.higher_is_better))
    if score.floor is None or reach is None:
        return False, f"{subject}; there is no floor to compare it with, so that its size alone says little."
    is_like_real, comparison = _against_floor(score, score.floor, reach)
    return is_like_real, f"{subject}, {comparison}"


def _reach(floor: Floor | None, is_upward: bool) -> float | None:
    """The end of the floor that a score has to pass before it tells synthetic from real."""
    if floor is None:
        return None
    if floor.interval is not None:
        return floor.interval.low if is_upward else floor.interval.high
    return floor.measured if floor.measured is not None else floor.closed_form


def _against_floor(score: Score, floor: Floor, reach: float) -> tuple[bool, str]:
    sign = -1.0 if score.higher_is_better else 1.0
    where = f"what real clips score against each other ({_floor_text(floor)})"
    beyond = "below" if score.higher_is_better else "above"
    if sign * score.value <= sign * reach and floor.blind_to:
        said = " or ".join(floor.blind_to)
        return False, (
            f"within {where}; but so would be that of a generator that {said}: with these patients and clips the score "
            "cannot judge. Look at the clips, at recall and coverage, and at the properties; more patients are needed."
        )
    if sign * score.value <= sign * reach:
        return (
            True,
            f"no worse than {where}: this score does not tell them apart, which is no proof that they are alike.",
        )
    nearest = _nearest_end(score, sign)
    if sign * nearest <= sign * reach:
        return False, f"{beyond} {where}, but its interval reaches that far: more clips are needed to tell."
    return False, f"{_times(score, floor)}{beyond} {where}: it tells these clips from real ones."


def _nearest_end(score: Score, sign: float) -> float:
    if score.interval is None:
        return score.value
    return score.interval.low if sign > 0 else score.interval.high


def _floor_text(floor: Floor) -> str:
    if floor.measured is None:
        return f"{format_number(floor.closed_form)} expected"
    return number_within(floor.measured, floor.interval) + (f", {range_text(floor.interval)}" if floor.interval else "")


def _times(score: Score, floor: Floor) -> str:
    """How many times the floor a distance is; empty where the floor is about zero or the ratio says nothing."""
    lowest = floor.interval.low if floor.interval else floor.measured
    if score.higher_is_better or floor.measured is None or not lowest or lowest <= 0:
        return ""
    ratio = score.value / floor.measured
    return f"{format_number(ratio, 2)} times and clearly " if ratio >= 1.5 else ""


def _about_repeats(repeats: Repeats) -> str:
    found = (
        f"The synthetic clips are too alike: {repeats.repeated} of {repeats.num_fake} have another one as near as only "
        f"5 % of real clips have, where chance explains {repeats.most}; the nearest is at "
        f"{format_number(repeats.nearness, 2)} of its distance among real clips ({repeats.space})."
    )
    what = "They repeat each other" if repeats.are_copies else "They lack variety, or detail"
    return f"{found} {what}: look at them, and mend that before you read a distance, which may miss it."


def _about_gate(gate: GateResult | None) -> str:
    if gate is None:
        return "Copies of training clips were not looked for: that takes held-out clips."
    compared = f"{count(gate.num_fake, 'synthetic clip')} against {count(gate.num_train, 'training clip')}"
    if gate.copies:
        clips = len({copy.pair.fake for copy in gate.copies})
        found = count(clips, "likely copy")
        return f"The memorisation gate found {found} of training clips ({compared}): do not share these clips."
    if not gate.passed:
        reason = gate.note.rstrip(".") or "it could not be calibrated"
        return f"The memorisation gate is not passed: {reason}."
    return (
        f"The memorisation gate found no copy ({compared}, calibrated on {count(gate.num_held_out, 'held-out clip')})."
    )
