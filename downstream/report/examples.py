# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips that play, with the true outline and what arms predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monai_feat.visualize import (
    MOST_FRAMES,
    Html,
    clip_player,
    clip_set,
    count,
    element,
    format_number,
    join,
    legend,
    outline_clip,
    paragraph,
)
from monai_feat.visualize.outline import CLASS_COLOURS

from .findings import Findings
from .gain_text import of_real_data, patient_text, signed
from .inputs import Example, Sample

__all__ = ["PLANS", "PicturePlan", "examples_section", "show_samples"]

_THICKNESS = 2  # pixels of outlines, in a picture that the page shows smaller than it is


@dataclass(frozen=True)
class PicturePlan:
    """How much of a page pictures may take: clips, width of a frame in pixels, quality of WebP."""

    clips: int
    width: int
    quality: int


PLANS = (
    PicturePlan(clips=12, width=224, quality=80),
    PicturePlan(clips=8, width=192, quality=75),
    PicturePlan(clips=6, width=160, quality=70),
    PicturePlan(clips=4, width=128, quality=60),
    PicturePlan(clips=0, width=128, quality=60),
)
"""From the fullest to none; a report takes the first that fits."""


def examples_section(found: Findings, plan: PicturePlan) -> Html:
    """Return clips with outlines, the largest gain of the leading arm first, the largest loss last."""
    if not found.study.examples:
        return paragraph("No clips were kept to look at.")
    ordered = sorted(found.study.examples, key=lambda example: -_gain(found, example))
    kept = [*ordered[: (plan.clips + 1) // 2], *ordered[max((plan.clips + 1) // 2, len(ordered) - plan.clips // 2) :]]
    left = len(ordered) - len(kept)
    more = f" Left out, to keep the page light: {count(left, 'clip')}." if left else ""
    explained = paragraph(
        "Chosen among those that an arm changed most against the reference, the largest gain first and the largest "
        f"loss last: they are extremes, not what is usual.{more}"
    )
    shown = [_example(found, example, plan) for example in kept]
    return join([explained, legend(_colours("truth", "predicted")), element("div", *shown, class_="grid large")])


def _example(found: Findings, example: Example, plan: PicturePlan) -> Html:
    image, truth = example.image[:, :MOST_FRAMES], example.truth[:, :MOST_FRAMES]
    pictures = {"truth": outline_clip(image, [truth], plan.width, _THICKNESS)}
    for arm, predicted in example.predictions.items():
        caption = f"{arm}: {found.metric.title} {format_number(_value(found, example, arm))}"
        pictures[caption] = outline_clip(image, [truth, predicted[:, :MOST_FRAMES]], plan.width, _THICKNESS)
    players = [
        clip_player(clip, example.frame_rate, caption, caption, plan.width, plan.quality)
        for caption, clip in pictures.items()
    ]
    heading = f"{patient_text(example.patient)}: {signed(_gain(found, example))} {found.metric.title}"
    facts = f"{example.clip}, {of_real_data(example.fraction)}, seed {example.seed}"
    films = clip_set(players, heading, abreast=True)
    return element("div", element("h3", heading), films, paragraph(facts, aside=True))


def show_samples(samples: Sequence[Sample], plan: PicturePlan) -> Html:
    """Return synthetic clips with the outlines of their masks, a row for each generator.

    The first of each generator come before the second of any, so that all of them are seen where the plan allows it.
    """
    rows: dict[str, list[Html]] = {}
    for sample in _in_turn(samples)[: plan.clips]:
        image, mask = sample.image[:, :MOST_FRAMES], sample.mask[:, :MOST_FRAMES]
        clip = outline_clip(image, [mask], plan.width, _THICKNESS)
        player = clip_player(clip, sample.frame_rate, sample.clip, sample.clip, plan.width, plan.quality)
        rows.setdefault(sample.generator, []).append(player)
    films = [
        element("div", element("h3", name), clip_set(players, name, abreast=True)) for name, players in rows.items()
    ]
    return join([legend(_colours("mask of the synthetic clip")), element("div", *films, class_="grid large")])


def _in_turn(samples: Sequence[Sample]) -> list[Sample]:
    """Return the first of each generator, then the second of each, and so on."""
    turns = [sum(other.generator == sample.generator for other in samples[:i]) for i, sample in enumerate(samples)]
    return [sample for _, sample in sorted(zip(turns, samples, strict=True), key=lambda pair: pair[0])]


def _colours(*names: str) -> dict[str, Html]:
    return {
        name: element("line", x1=0, y1=6, x2=26, y2=6, stroke=f"rgb{colour}", stroke_width=4)
        for name, colour in zip(names, CLASS_COLOURS, strict=False)
    }


def _value(found: Findings, example: Example, arm: str) -> float | None:
    wanted = (arm, example.fraction, example.seed, example.patient, example.clip, found.study.metric)
    keys = ((s.arm, s.fraction, s.seed, s.patient, s.clip, s.metric) for s in found.study.scores)
    return next((s.value for s, key in zip(found.study.scores, keys, strict=True) if key == wanted), None)


def _gain(found: Findings, example: Example) -> float:
    """What the first predicted arm that is not the reference gains; 0 where one of both was not scored."""
    compared = next((arm for arm in example.predictions if arm != found.study.reference), found.study.reference)
    after, before = (_value(found, example, arm) for arm in (compared, found.study.reference))
    if after is None or before is None:
        return 0.0
    return after - before if found.metric.higher_is_better else before - after
