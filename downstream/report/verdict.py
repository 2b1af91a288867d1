# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study says, in plain sentences: an answer to each question that it declared, read from one interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from monai_feat.visualize import count, format_range, join_words, percent

from ..questions import Ask
from ..statistics import Comparison, Verdict
from .findings import Findings
from .gain_text import gain_text, of_real_data, signed
from .generator import Fidelity

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True)
class Summary:
    """The sentences, and how alarming they are."""

    tone: Literal["good", "caution", "alarm"]
    sentences: tuple[str, ...]


def summarise(found: Findings, fidelity: Sequence[Fidelity] = ()) -> Summary:
    """Return an answer to each declared question, the first one first, and what bounds, baselines and the gate say.

    The tone is ``good`` only where every question is answered as it was hoped, a benefit beats every control, and no
    gate has failed; ``alarm`` where an arm harms, or a gate found copies; ``caution`` otherwise.
    """
    if not found.declared:
        return Summary("caution", ("This study asked nothing of arms that have scores, and has no answer.",))
    sentences = [
        *(_answer(found, one) for one in found.declared),
        *_caveats(found),
        *_about_bounds(found),
        *_about_baselines(found),
        *_about_copies(fidelity),
    ]
    if any(one.copies for one in fidelity) or any(one.verdict == "harms" for one in found.declared):
        return Summary("alarm", tuple(sentences))
    is_clear = all(_is_as_hoped(found, one) for one in found.declared) and all(one.passed for one in fidelity)
    return Summary("good" if is_clear else "caution", tuple(sentences))


_HOPED: dict[Ask, tuple[Verdict, ...]] = {
    "benefit": ("helps",),
    "non-inferiority": ("not worse", "helps"),
    "equivalence": ("no relevant difference",),
}


def _is_as_hoped(found: Findings, one: Comparison) -> bool:
    beats_all = bool(found.controls_of(one)) and not _not_beaten(found, one)
    return one.verdict in _HOPED[one.question.ask] and (one.question.ask != "benefit" or beats_all)


def _answer(found: Findings, one: Comparison) -> str:
    if one.refused:
        return f"There is no verdict on {_pair(one)}: {one.refused}. What was seen: {_gain(found, one)}."
    if one.question.ask == "benefit":
        return _BENEFIT[one.verdict](found, one)
    return _ALIKE[one.question.ask](found, one)


def _helps(found: Findings, one: Comparison) -> str:
    """Say that an arm gains; of a benefit of what it adds, only where it beats every control by a test of its own."""
    size, level = _size(found, one), _not_beaten(found, one)
    if not found.controls_of(one):
        return f"{_gain(found, one)}. {size} This study has no control, so what the gain is due to cannot be told."
    if level:
        rest = join_words([_beside(found, other) for other in level])
        return f"A benefit of {_subject(found, one)} is not shown: {_gain(found, one)}, but {rest}. {size}"
    names = join_words([f"“{other.question.against}”" for other in found.controls_of(one)])
    return f"The data supports a benefit of {_subject(found, one)}: {_gain(found, one)}; it beats {names} too. {size}"


def _harms(found: Findings, one: Comparison) -> str:
    return f"The data supports harm by {_subject(found, one)}: {_gain(found, one)}. {_size(found, one)}"


def _no_relevant_difference(found: Findings, one: Comparison) -> str:
    return (
        f"The data supports no benefit of {_subject(found, one)} that matters: {_gain(found, one)}; its whole interval "
        f"is nearer to 0 than {one.margin:g}, the least that was declared to matter.{_shown_anyway(one)}"
    )


def _unknown(found: Findings, one: Comparison) -> str:
    return (
        f"The data shows neither a benefit of {_subject(found, one)} nor that there is none: {_gain(found, one)}."
        f"{_ruled_out(one)} {_power(found, one)}"
    )


def _ruled_out(one: Comparison) -> str:
    """Say what an interval that holds 0 rules out all the same."""
    low, high = one.simultaneous or (-math.inf, math.inf)
    ends = [f"a gain of {one.margin:g} or more"] if high < one.margin else []
    ends += [f"a loss of {one.margin:g} or more"] if low > -one.margin else []
    return f" It rules out {' and '.join(ends)}." if ends else ""


_BENEFIT: dict[Verdict, Callable[[Findings, Comparison], str]] = {
    "helps": _helps,
    "harms": _harms,
    "no relevant difference": _no_relevant_difference,
    "cannot be told": _unknown,
}


def _non_inferiority(found: Findings, one: Comparison) -> str:
    arm, against, gain = f"“{one.arm}”", f"“{one.question.against}”", _gain(found, one)
    if one.verdict == "harms":
        return f"{arm} is worse than {against}: {gain}. {_size(found, one)}"
    if one.verdict == "cannot be told":
        return f"It is not shown that {arm} is as good as {against} within {one.margin:g}: {gain}. {_power(found, one)}"
    more = " It is even better." if one.verdict == "helps" else _shown_anyway(one)
    return f"{arm} is as good as {against} within {one.margin:g}: {gain}.{more}"


def _equivalence(found: Findings, one: Comparison) -> str:
    pair, gain = _pair(one), _gain(found, one)
    if one.verdict == "no relevant difference":
        return f"{pair} are alike within {one.margin:g}: {gain}.{_shown_anyway(one)}"
    if one.verdict == "cannot be told":
        return f"It is not shown that {pair} are alike within {one.margin:g}: {gain}. {_power(found, one)}"
    order = "better" if one.verdict == "helps" else "worse"
    return f"{pair} are not alike, the first is {order}: {gain}. {_size(found, one)}"


_ALIKE: dict[Ask, Callable[[Findings, Comparison], str]] = {
    "non-inferiority": _non_inferiority,
    "equivalence": _equivalence,
}


def _size(found: Findings, one: Comparison) -> str:
    low, high = one.simultaneous or (0.0, 0.0)
    is_large = min(abs(low), abs(high)) >= one.margin
    relation = f"is {one.margin:g} or more" if is_large else f"may be smaller than {one.margin:g}"
    return f"The {'gain' if one.gain > 0 else 'loss'} {relation}, the least that was declared to matter."


def _shown_anyway(one: Comparison) -> str:
    """Say so where a difference is shown, though it is too small to matter."""
    low, high = one.simultaneous or (0.0, 0.0)
    if low <= 0 <= high:
        return ""
    return f" That there is a small {'gain' if low > 0 else 'loss'} is shown."


def _power(found: Findings, one: Comparison) -> str:
    effect = f"{found.metric.title} of {one.margin:g}"
    chance = f"A study like this one shows a difference in {effect} with a probability of {percent(one.power)}"
    if one.patients_needed is None:
        return f"{chance}; no number of patients makes that 80 %: it takes more folds or seeds."
    have = one.effect.patients
    if one.patients_needed <= have:
        return f"{chance}."
    return f"{chance}; for 80 % it would take about {count(one.patients_needed, 'patient')} instead of {have}."


def _not_beaten(found: Findings, one: Comparison) -> list[Comparison]:
    """Return the comparisons with controls that do not show the arm to be better, each tested for itself."""
    return [other for other in found.controls_of(one) if other.refused or (other.simultaneous or (0.0,))[0] <= 0]


def _beside(found: Findings, other: Comparison) -> str:
    """Say how an arm stands to a control that it does not beat, and what the control gains itself."""
    own = found.gain_of(other.question.against, other.fraction)
    itself = f"itself {signed(own.gain)}; " if own else ""
    ends = other.simultaneous
    apart = signed(other.gain, ends[1] - ends[0] if ends else None) + (f", {format_range(*ends)}" if ends else "")
    relation = "is worse than" if ends and ends[1] < 0 else "cannot be told from"
    return f"it {relation} “{other.question.against}” ({itself}difference {apart})"


def _caveats(found: Findings) -> list[str]:
    """Say what a reader must know of the arms that are asked about."""
    asked = {one.arm for one in found.declared}
    return [f"“{arm.name}”: {arm.caveat}." for arm in found.study.arms if arm.name in asked and arm.caveat]


def _about_bounds(found: Findings) -> list[str]:
    """Say whether there was anything to gain, by what more real clips bring."""
    if not found.bounds:
        return []
    good = [one for one in found.bounds if one.verdict == "helps"]
    if good:
        return [f"More real clips help: {_gain(found, good[0])}. So there was something to gain."]
    return [f"Nor is it shown that more real clips help: {_gain(found, found.bounds[0])}."]


def _about_baselines(found: Findings) -> list[str]:
    """Say so where the segmenter has not learnt more than a mask that looks at no picture."""
    sign = 1 if found.metric.higher_is_better else -1
    names = [found.study.reference, *found.study.named("baseline")]
    means = [found.mean_of(name, found.fraction, found.study.metric) for name in names]
    reached = {mean.arm: sign * mean.effect.value for mean in means if mean}
    level = [arm for arm in names[1:] if reached.get(arm, -math.inf) >= reached.get(names[0], math.inf)]
    if not level:
        return []
    listed = join_words([f"“{name}”" for name in level])
    return [f"“{found.study.reference}” is no better than {listed}: a segmenter that learnt nothing shows nothing."]


def _about_copies(fidelity: Sequence[Fidelity]) -> list[str]:
    copied = [one for one in fidelity if one.copies]
    if copied:
        where = join_words([one.label for one in copied])
        return [f"The memorisation gate found copies of training clips ({where}): do not share these clips."]
    failed = [one.label for one in fidelity if one.passed is False]
    return [f"The memorisation gate is not passed ({join_words(failed)})."] if failed else []


def _subject(found: Findings, one: Comparison) -> str:
    kinds = {arm.name: arm.kind for arm in found.study.arms}
    return "synthetic clips" if kinds[one.arm] == "synthetic" else f"“{one.arm}”"


def _pair(one: Comparison) -> str:
    return f"“{one.arm}” and “{one.question.against}”"


def _gain(found: Findings, one: Comparison) -> str:
    against = "" if one.question.against == found.study.reference else f", against “{one.question.against}”,"
    return f"“{one.arm}” {of_real_data(one.fraction)}{against} changes {found.metric.title} by {gain_text(one)}"
