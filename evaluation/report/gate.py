# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the memorisation gate found, with the nearest pairs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from monai_feat.visualize import Cell, ColumnKind, Html, element, format_number, join, notice, paragraph, table

from ..results import Copy, GateResult, NearestPair
from .pictures import PicturePlan, pair_pictures
from .score_text import count, percent

__all__ = ["gate_section"]

_MOST_COPIES = 200  # rows of the table, so that the page stays light


def gate_section(gate: GateResult | None, frame_rate: float, plan: PicturePlan) -> Html:
    """Return the gate's answer, its calibration, copies by name, and pictures of the pairs that lie nearest."""
    if gate is None:
        return paragraph(
            "Not run. Telling a copy from a likeness takes real clips that were not trained on: give held-out clips."
        )
    parts = [_answer(gate), _calibration(gate)]
    if gate.copies:
        parts.append(_copies(gate.copies))
    return join([*parts, _pairs(gate, frame_rate, plan)])


def _answer(gate: GateResult) -> Html:
    note = [paragraph(gate.note)] if gate.note else []
    if gate.copies:
        clips = len({copy.pair.fake for copy in gate.copies})
        found = f"{count(clips, 'synthetic clip')} nearer to a training clip than calibration allows. "
        found += "A copy may show a patient."
        return notice("alarm", "Copies found", paragraph(found), *note)
    if not gate.passed:
        return notice("caution", "Not passed", *(note or [paragraph("The gate could not be calibrated.")]))
    return notice("good", "No copies found", paragraph("No synthetic clip is nearer than calibration allows."), *note)


def _calibration(gate: GateResult) -> Html:
    patients = f" of {count(gate.num_held_out_groups, 'patient')}" if gate.num_held_out_groups else ""
    explained = paragraph(
        f"Each of {count(gate.num_fake, 'synthetic clip')} was compared with {count(gate.num_train, 'training clip')}, "
        "over shifts in time and mirrored too, and part by part: anywhere, smaller or larger, upside down, in inverted "
        f"grey levels. {count(gate.num_held_out, 'held-out clip')}{patients}, which cannot be "
        "copies, say how near is near by chance: p is the share of them that lie as near to a training clip. "
        f"{_rates(gate)}"
    )
    if not gate.thresholds:
        return explained
    rows = [[space, format_number(threshold)] for space, threshold in gate.thresholds.items()]
    caption = "A clip that is nearer than this to a training clip is called a copy"
    return join([explained, table({"Measured in": "text", "Threshold": "number"}, rows, caption)])


def _rates(gate: GateResult) -> str:
    """False alarms: how many are asked for, and how many there were where held-out clips played synthetic ones."""
    told = f"Where nothing was copied, at most {percent(gate.false_positive_rate)} of clips should be called near"
    told += ", and as few sets of clips fail."
    clips, gates = gate.simulated_false_positive_rate, gate.simulated_gate_rate
    if clips is None:
        return f"{told} There are too few held-out clips to simulate it."
    failed = f" and {percent(gates)} of sets failed" if gates is not None else ""
    return f"{told} With held-out clips in the place of synthetic ones, {percent(clips)} of clips were near{failed}."


def _copies(copies: Sequence[Copy]) -> Html:
    rows: list[list[str | Cell]] = [
        [
            copy.pair.fake,
            copy.pair.train,
            copy.pair.space,
            Cell(format_number(copy.pair.distance), f"threshold {format_number(copy.threshold)}"),
            format_number(copy.pair.p_value, 2),
            f"{copy.pair.offset:+d}" if copy.pair.offset else "0",
            _changes(copy.pair),
        ]
        for copy in copies[:_MOST_COPIES]
    ]
    columns: dict[str, ColumnKind] = {"Synthetic clip": "wide", "Training clip": "wide", "Measured in": "text"}
    columns |= {"Distance": "number", "p": "number", "Starts later by, frames": "number", "Changed": "text"}
    rest = len(copies) - len(rows)
    more = paragraph(f"{count(rest, 'more copy')} in the JSON file.", aside=True) if rest else Html()
    return join([table(columns, rows, "Likely copies"), more])


def _changes(pair: NearestPair) -> str:
    changes = ["mirrored"] if pair.flipped else []
    return ", ".join([*changes, pair.how] if pair.how else changes) or "no"


def _pairs(gate: GateResult, frame_rate: float, plan: PicturePlan) -> Html:
    """Copies first, then the nearest of the others; a pair that was found in two spaces is shown once."""
    titled: dict[tuple[str, str], tuple[str, NearestPair]] = {}
    for pair in (copy.pair for copy in gate.copies):
        titled.setdefault((pair.fake, pair.train), ("likely copy", pair))
    for pair in gate.nearest:
        titled.setdefault((pair.fake, pair.train), ("among the nearest", pair))
    shown = list(titled.values())[: plan.pairs]
    rest = len(titled) - len(shown)
    more = paragraph(f"{count(rest, 'more pair')} left out, to keep the page light.", aside=True) if rest else Html()
    pictures = [
        pair_pictures(pair, f"Pair {number}: {title}", frame_rate, plan)
        for number, (title, pair) in enumerate(shown, 1)
    ]
    return join([element("div", *pictures, class_="grid large"), more])
