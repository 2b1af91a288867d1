# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips to look at: grids of each side, and synthetic clips beside the training clips nearest to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from monai_feat.visualize import MOST_FRAMES, Html, clip_player, clip_set, element, format_number, join, paragraph

from ..results import Evaluation, NearestPair
from .score_text import SIDES, count, side_name

__all__ = ["PLANS", "PicturePlan", "clips_section", "pair_pictures"]

_UNKNOWN_RATE = 10.0  # Hz, where the frame rate of the clips is not known


@dataclass(frozen=True)
class PicturePlan:
    """How much of a page pictures may take: clips of each side, pairs, width of a frame in pixels, quality of WebP."""

    clips: int
    pairs: int
    width: int
    quality: int


PLANS = (
    PicturePlan(clips=12, pairs=12, width=192, quality=80),
    PicturePlan(clips=9, pairs=9, width=160, quality=75),
    PicturePlan(clips=6, pairs=6, width=128, quality=70),
    PicturePlan(clips=4, pairs=4, width=96, quality=60),
    PicturePlan(clips=2, pairs=2, width=64, quality=50),
    PicturePlan(clips=0, pairs=0, width=64, quality=50),
)
"""From the fullest to none; a report takes the first that fits."""


def clips_section(evaluation: Evaluation, plan: PicturePlan) -> Html:
    """Return grids of clips that play: real ones first, then synthetic ones."""
    order = [*SIDES, *(side for side in evaluation.clips if side not in SIDES)]
    sides = [(side, evaluation.clips[side]) for side in order if evaluation.clips.get(side)]
    if not sides:
        return paragraph("No clips were kept to look at.")
    grids = [_grid(side, clips, evaluation.frame_rate, plan) for side, clips in sides]
    return join([paragraph(_rate_text(evaluation.frame_rate)), *grids])


def _grid(side: str, clips: Sequence[Tensor], frame_rate: float, plan: PicturePlan) -> Html:
    shown = clips[: plan.clips]
    name = side_name(side)
    heading = element("h3", f"{name} ", element("span", f"· {_size_text(clips[0])}", class_="aside"))
    if not shown:
        return join([heading, paragraph("Left out, to keep the page light.", aside=True)])
    rate = frame_rate or _UNKNOWN_RATE
    players = [
        clip_player(clip, rate, f"{name}, clip {number}", width=plan.width, quality=plan.quality)
        for number, clip in enumerate(shown, 1)
    ]
    rest = len(clips) - len(shown)
    more = paragraph(f"{count(rest, 'more clip')} left out, to keep the page light.", aside=True) if rest else Html()
    return join([heading, clip_set(players, f"{name}: {count(len(shown), 'clip')}"), more])


def _rate_text(frame_rate: float) -> str:
    if not frame_rate:
        return f"Clips play at {_UNKNOWN_RATE:g} Hz; their own frame rate is not known."
    return f"Clips play at their own {frame_rate:.4g} Hz."


def _size_text(clip: Tensor) -> str:
    channels, frames, height, width = clip.shape
    colour = "grey" if channels == 1 else "colour"
    shown = f", the first {MOST_FRAMES} shown" if frames > MOST_FRAMES else ""
    return f"{count(frames, 'frame')}{shown} of {width} × {height} pixels, {colour}"


def pair_pictures(pair: NearestPair, heading: str, frame_rate: float, plan: PicturePlan) -> Html:
    """Return a synthetic clip, its nearest training clip and their difference, over the frames that match.

    The training clip is shifted and mirrored as it matched best, so that a copy looks like one.
    """
    facts = paragraph(_pair_text(pair), aside=True)
    if pair.fake_clip is None or pair.train_clip is None:
        names = paragraph(f"synthetic: {pair.fake}; training: {pair.train}. No pixels were kept.", aside=True)
        return element("div", element("h3", heading), facts, names)
    fake, train = matched(pair.fake_clip, pair.train_clip, pair.offset, pair.flipped)
    clips = {f"synthetic: {pair.fake}": fake, f"training: {pair.train}": train}
    if fake.shape == train.shape:
        clips["difference; black where equal"] = (fake.short() - train.short()).abs().to(fake.dtype)
    players = [
        clip_player(clip, frame_rate or _UNKNOWN_RATE, label, label, plan.width, plan.quality)
        for label, clip in clips.items()
    ]
    return element("div", element("h3", heading), clip_set(players, heading, abreast=True), facts)


def matched(fake: Tensor, train: Tensor, offset: int, flipped: bool) -> tuple[Tensor, Tensor]:
    """Return the frames that two clips share: frame i of the synthetic one matches frame ``i + offset`` of the other.

    Args:
        fake: synthetic clip, ``(C, T, H, W)``.
        train: training clip, likewise; T may differ.
        offset: as in `NearestPair`.
        flipped: whether to mirror the training clip.
    """
    train = train.flip(-1) if flipped else train
    skip_fake, skip_train = max(0, -offset), max(0, offset)
    shared = min(fake.shape[1] - skip_fake, train.shape[1] - skip_train)
    if shared < 1:
        return fake, train
    return fake[:, skip_fake : skip_fake + shared], train[:, skip_train : skip_train + shared]


def _pair_text(pair: NearestPair) -> str:
    parts = [f"Distance {format_number(pair.distance)} in {pair.space}", f"p = {format_number(pair.p_value, 2)}"]
    if pair.offset:
        later = "later" if pair.offset > 0 else "earlier"
        parts.append(f"the synthetic clip starts {count(abs(pair.offset), 'frame')} {later}")
    if pair.flipped:
        parts.append("matches the mirrored training clip, which is shown mirrored")
    if pair.how:
        parts.append(f"matches the training clip {pair.how}")
    return "; ".join(parts) + "."
