# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study says, in plain sentences: whether its data supports a benefit of synthetic clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monai_feat.visualize import count, join_words, percent

from ..statistics import LEVEL, Comparison
from .findings import Findings
from .gain_text import gain_text, of_real_data
from .generator import Fidelity

__all__ = ["Summary", "summarise"]

_MOST_NAMED = 2  # comparisons beside the first


@dataclass(frozen=True)
class Summary:
    """The sentences, and how alarming they are."""

    tone: Literal["good", "caution", "alarm"]
    sentences: tuple[str, ...]


def summarise(found: Findings, fidelity: Sequence[Fidelity] = ()) -> Summary:
    """Return the answer, what controls and bounds say to it, and what the memorisation gate does.

    The tone is ``good`` only where synthetic clips help, no control does, and no gate has failed; ``alarm`` where they
    harm, or a gate found copies; ``caution`` otherwise.
    """
    synthetic, controls = found.question, found.controls
    if not synthetic:
        return Summary("caution", ("This study has no arm with synthetic clips, and says nothing about them.",))
    answer = _answer(found, synthetic)
    sentences = [
        answer,
        *_about_controls(found, controls, synthetic),
        *_about_bounds(found),
        *_about_baselines(found),
        *_about_copies(fidelity),
    ]
    helps, harms = (_with(verdict, synthetic) for verdict in ("helps", "harms"))
    copied = any(one.copies for one in fidelity)
    if copied or (harms and not helps):
        return Summary("alarm", tuple(sentences))
    is_clear = helps and not harms and not _with("helps", controls) and all(one.passed for one in fidelity)
    return Summary("good" if is_clear else "caution", tuple(sentences))


def _answer(found: Findings, synthetic: list[Comparison]) -> str:
    helps, harms, alike = (_with(verdict, synthetic) for verdict in ("helps", "harms", "no relevant difference"))
    if helps and harms:
        return f"It depends: synthetic clips help, {_shown(found, helps)}; and harm, {_shown(found, harms)}."
    if helps:
        return f"The data supports a benefit of synthetic clips: {_shown(found, helps)}. {_size(found, helps[0])}"
    if harms:
        return f"The data supports no benefit of synthetic clips, but harm: {_shown(found, harms)}."
    if alike:
        least = f"smaller than {found.study.smallest_effect:g}, which was declared to be the least that does"
        unknown = [one for one in synthetic if one not in alike]
        rest = f" Of {_named(unknown)} it cannot be told." if unknown else ""
        shown = f"{_shown(found, alike)}; this is {least}"
        return f"The data supports no benefit of synthetic clips that matters: {shown}.{rest}"
    return (
        f"The data does not show whether synthetic clips help: {_gain(found, synthetic[0])}, which is no proof of "
        f"anything. {_power(found, synthetic[0])}"
    )


def _size(found: Findings, one: Comparison) -> str:
    ends = one.effect.interval(LEVEL)
    is_large = ends is not None and ends[0] >= found.study.smallest_effect
    relation = "is larger than" if is_large else "may be smaller than"
    return f"It {relation} {found.study.smallest_effect:g}, the least that was declared to matter."


def _power(found: Findings, one: Comparison) -> str:
    if not one.effect.is_replicated:
        return "Each arm was trained once, in one fold with one seed: train more often to tell a gain from luck."
    effect = f"{found.metric.title} of {found.study.smallest_effect:g}"
    chance = f"A study like this one finds a gain in {effect} with a probability of {percent(one.power)}"
    if one.patients_needed is None:
        return f"{chance}; no number of patients makes that 80 %: it takes more folds or seeds."
    have = one.effect.patients
    if one.patients_needed <= have:
        return f"{chance}."
    return f"{chance}; for 80 % it would take about {count(one.patients_needed, 'patient')} instead of {have}."


def _about_controls(found: Findings, controls: list[Comparison], synthetic: list[Comparison]) -> list[str]:
    good = _with("helps", controls)
    if not good:
        return []
    said = f"Without anything new from a generator, {_shown(found, good)}."
    if not _with("helps", synthetic):
        return [said]
    better = [control for control, one in found.against_controls if one.verdict == "helps"]
    worse = [one.arm for one in good if one.arm not in better]
    if worse and found.lead:
        names = join_words([f"“{name}”" for name in dict.fromkeys(worse)])
        said += f" “{found.lead.arm}” was not shown to be better than {names}: the gain may not be due to new clips."
    return [said]


def _about_bounds(found: Findings) -> list[str]:
    """Say whether there was anything to gain, by what more real clips bring."""
    if not found.bounds:
        return []
    good = _with("helps", found.bounds)
    if good:
        return [f"More real clips help: {_shown(found, good)}. So there was something to gain."]
    shown = _gain(found, found.bounds[0])
    return [f"More real clips were not shown to help either: {shown}. So there may have been nothing to gain."]


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


def _with(verdict: str, comparisons: list[Comparison]) -> list[Comparison]:
    return [one for one in comparisons if one.verdict == verdict]


def _shown(found: Findings, alike: list[Comparison]) -> str:
    """Return the first of some comparisons, and how many others end like it."""
    return _gain(found, alike[0]) + (f"; likewise {_named(alike[1:])}" if alike[1:] else "")


def _named(comparisons: list[Comparison]) -> str:
    names = [f"“{one.arm}” {of_real_data(one.fraction)}" for one in comparisons]
    rest = len(names) - _MOST_NAMED
    return join_words([*names[:_MOST_NAMED], *([f"{rest} more"] if rest > 0 else [])])


def _gain(found: Findings, one: Comparison) -> str:
    return f"“{one.arm}” {of_real_data(one.fraction)} changes {found.metric.title} by {gain_text(one)}"
