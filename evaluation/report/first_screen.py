# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a reader sees first: whether these clips can be judged at all, and real and synthetic ones beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_feat.visualize import Html, clip_player, clip_set, element, join, notice, paragraph

from ..memorisation.calibration import groups_needed
from ..results import Evaluation
from .pictures import PicturePlan
from .score_text import count, side_name

__all__ = ["can_be_judged", "first_screen"]

FALSE_POSITIVE_RATE = 0.05  # of the memorisation gate
FEWEST_PATIENTS = 2  # below that, nothing is known of how patients differ
SHOWN = 3  # clips of each side, which stand abreast
_UNKNOWN_RATE = 10.0  # Hz, where the frame rate of the clips is not known


def first_screen(evaluation: Evaluation, plan: PicturePlan) -> Html:
    """Return the sentence on whether clips can be judged, and some of each side, side by side."""
    is_possible, text = can_be_judged(evaluation)
    told = notice("good" if is_possible else "caution", "Can this be judged?", paragraph(text))
    return join([told, _side_by_side(evaluation, plan)])


def can_be_judged(evaluation: Evaluation) -> tuple[bool, str]:
    """Say whether there are enough patients for a verdict and for the memorisation gate, and how many are missing."""
    sides = evaluation.sources
    there = "; ".join(_side_text(name, facts) for name, facts in sides.items() if "clips" in facts)
    held_out = sides.get("held_out", {}).get("groups", 0)
    needed = groups_needed(FALSE_POSITIVE_RATE)
    if not held_out:
        return False, f"In part: {there}. No real clips are held out, so that copies cannot be told from chance."
    if sides.get("train", {}).get("groups", 0) < FEWEST_PATIENTS:
        return False, f"No: {there}. All training clips are of one patient."
    if held_out < needed:
        return False, (
            f"In part: {there}. The memorisation gate needs {needed} held-out patients, {needed - held_out} more than "
            "there are; distances have wide floors with so few."
        )
    return True, f"Yes: {there}. The memorisation gate needs {needed} held-out patients."


def _side_text(name: str, facts: Mapping[str, Any]) -> str:
    clips = f"{side_name(name).lower()}: {count(facts['clips'], 'clip')}"
    return clips if name == "fake" else f"{clips} of {count(facts.get('groups', 0), 'patient')}"


def _side_by_side(evaluation: Evaluation, plan: PicturePlan) -> Html:
    real = evaluation.clips.get("held_out") or evaluation.clips.get("train") or ()
    sides = {"real": real, "synthetic": evaluation.clips.get("fake", ())}
    shown = min(SHOWN, plan.clips)
    if not (shown and all(sides.values())):
        return Html()
    rate = evaluation.frame_rate or _UNKNOWN_RATE
    columns = []
    for name, clips in sides.items():
        players = [
            clip_player(clip, rate, f"{name}, clip {number}", width=min(plan.width, 96), quality=plan.quality)
            for number, clip in enumerate(clips[:shown], 1)
        ]
        columns.append(element("div", element("h3", name), clip_set(players, f"{name}, side by side", abreast=True)))
    return element("div", *columns, class_="grid large")
