# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What ``monai-feat evaluate`` says about the clips of the same generator, beside the gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_feat.files import read_json
from monai_feat.visualize import Cell, ColumnKind, Html, count, format_number, format_range, join, paragraph, table

from .examples import PicturePlan, show_samples
from .findings import Findings
from .gain_text import gain_text, of_real_data

__all__ = ["Fidelity", "generator_section", "read_fidelity"]

_REFERENCES = {"held_out": "held-out clips", "train": "training clips"}


@dataclass(frozen=True)
class Fidelity:
    """What the report of one evaluation says.

    Attributes:
        label: which generator, such as ``fold 0``.
        scores: those that may be read, as they stand there.
        passed: the memorisation gate; None where it was not run.
        copies: of training clips, that it found.
        note: of the gate.
        fingerprint: of the protocol.
        warnings: that stand above the scores.
    """

    label: str
    scores: tuple[Mapping[str, Any], ...]
    passed: bool | None
    copies: int
    note: str
    fingerprint: str
    warnings: tuple[str, ...]


def read_fidelity(label: str, path: Path) -> Fidelity:
    """Read the ``report.json`` of an evaluation, or that in a folder.

    Raises:
        ValueError: the file is not such a report.
        OSError: it cannot be read.
    """
    path = path / "report.json" if path.is_dir() else path
    try:
        data = read_json(path)
        gate = data["gate"] or {"passed": None, "copies": [], "note": ""}
        scores = tuple(score for score in data["scores"] if score["meaningful"] and score["value"] is not None)
        return Fidelity(
            label,
            scores,
            gate["passed"],
            len({copy["pair"]["fake"] for copy in gate["copies"]}),
            gate["note"],
            data["fingerprint"],
            tuple(data["warnings"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: is not a report.json of monai-feat evaluate ({error!r}): run it again") from None


def generator_section(found: Findings, fidelity: Sequence[Fidelity], plan: PicturePlan) -> Html:
    """Return some of the generator's clips, and their scores and memorisation next to what they changed."""
    parts = []
    if found.study.samples and plan.clips:
        parts = [
            paragraph("The first clips of each generator, whatever they look like, as many as the page has room for."),
            show_samples(found.study.samples, plan),
        ]
    return join([*parts, _scores(found, fidelity)] if fidelity else parts)


def _scores(found: Findings, fidelity: Sequence[Fidelity]) -> Html:
    lead = found.lead
    gain = f"“{lead.arm}” {of_real_data(lead.fraction)}: {gain_text(lead)} {found.metric.title}. " if lead else ""
    explained = paragraph(
        f"{gain}How near the clips are to real ones, and whether they repeat training clips, is measured without any "
        "segmenter. A generator may look good and not help, or help by repeating: so read both."
    )
    names = list(dict.fromkeys(_name(score) for one in fidelity for score in one.scores if _is_shown(score, one)))
    columns: dict[str, ColumnKind] = {"": "text", **dict.fromkeys((one.label for one in fidelity), "number")}
    rows = [[Cell("Memorisation gate"), *(_gate(one) for one in fidelity)]]
    rows += [[Cell(name), *(_cell(one, name) for one in fidelity)] for name in names]
    said = [f"{one.label}: {note}" for one in fidelity for note in (*one.warnings, one.note) if note]
    notes = [paragraph(note, aside=True) for note in said]
    if len({one.fingerprint for one in fidelity}) > 1:
        notes.append(paragraph("Each column is compared with its own real clips, and not with the others.", aside=True))
    return join([explained, table(columns, rows, "Of the same generator’s clips, with 95 % intervals"), *notes])


def _is_shown(score: Mapping[str, Any], one: Fidelity) -> bool:
    """Whether a score is against held-out clips, or has no meaning there; `monai-feat evaluate` shows all of them."""
    held_out = {other["metric"] for other in one.scores if other["reference"] == "held_out"}
    return score["reference"] == "held_out" or score["metric"] not in held_out


def _name(score: Mapping[str, Any]) -> str:
    unit = f", {score['unit']}" if score["unit"] else ""
    return f"{score['title']}{unit}, against {_REFERENCES.get(score['reference'], score['reference'])}"


def _cell(one: Fidelity, name: str) -> Cell:
    score = next((score for score in one.scores if _name(score) == name), None)
    if score is None:
        return Cell("–")
    interval, floor = score["interval"], score["floor"]
    small = [format_range(interval["low"], interval["high"])] if interval else []
    if floor and floor["measured"] is not None:
        small.append(f"real clips among themselves: {format_number(floor['measured'])}")
    width = interval["high"] - interval["low"] if interval else None
    return Cell(format_number(score["value"], width=width), "; ".join(small))


def _gate(one: Fidelity) -> Cell:
    if one.passed is None:
        return Cell("not run")
    if one.copies:
        return Cell("copies found", f"{count(one.copies, 'clip')} nearer to a training clip than chance allows")
    return Cell("passed" if one.passed else "not passed")
