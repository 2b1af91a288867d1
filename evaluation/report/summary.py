# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation found, on one screen of text: the verdict first, then the scores of the better reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Literal

from ..results import Evaluation, Floor, Score
from .score_text import number_within, range_text
from .verdict import verdict

__all__ = ["Standing", "standing", "summarise"]

Standing = Literal["like real", "unclear", "apart", "blind", "not to be read", "no floor"]
_WORDS: dict[Standing, str] = {
    "like real": "cannot be told from real at this N",
    "unclear": "beyond real, but not clearly at this N",
    "apart": "can be told from real",
    "blind": "so would a bad generator: no verdict",
    "not to be read": "not to be read",
    "no floor": "nothing to compare with",
}
_REFERENCES = {"held_out": "held-out real clips", "train": "training clips"}
_COLUMNS = ("score", "95 % interval", "real against real", "")
_WIDTH = 112


def standing(score: Score) -> Standing:
    """Where a score stands against its floor.

    ``like real``: no worse than real clips against each other. ``blind``: the same, but so would be a generator that
    repeats one clip, or halves all differences between them. ``apart``: worse, and so is all of its interval; without
    one, twice as far from the floor as any split of the real clips, as these vary less than new clips do. ``unclear``:
    worse, but not by so much.
    """
    if not score.meaningful:
        return "not to be read"
    centre, reach = _floor_reach(score.floor, is_upward=bool(score.higher_is_better))
    if reach is None:
        return "no floor"
    sign = -1.0 if score.higher_is_better else 1.0
    if sign * score.value <= sign * reach:
        return "blind" if score.floor is not None and score.floor.blind_to else "like real"
    if score.interval is not None:
        nearest = score.interval.high if score.higher_is_better else score.interval.low
        return "apart" if sign * nearest > sign * reach else "unclear"
    return "apart" if sign * (score.value - reach) > sign * (reach - centre) else "unclear"


def summarise(evaluation: Evaluation) -> str:
    """Return the verdict, the warnings and the table of scores as text.

    Scores against the reference that was not trained on are shown where there are any, and scores of copying, which
    compare with training clips by their nature; the report has all.
    """
    reference = "held_out" if any(score.reference == "held_out" for score in evaluation.scores) else "train"
    against = [score for score in evaluation.scores if score.reference == reference]
    others = {score.metric for score in against}
    copying = [score for score in evaluation.scores if score.metric not in others]
    sizes = f"{evaluation.protocol['num_fake']} synthetic, {evaluation.protocol['num_real'][reference]} real"
    lines = ["", *(_wrapped(sentence) for sentence in verdict(evaluation).sentences)]
    lines += [_wrapped(f"! {warning}") for warning in evaluation.warnings]
    tables = {
        f"Against {_REFERENCES[reference]} ({sizes})": [s for s in against if not _is_property(s)],
        "Nearness to training clips": copying,
        "Properties: distance between their distributions": [s for s in against if _is_property(s)],
    }
    lines += _tables({title: [_row(score) for score in scores] for title, scores in tables.items() if scores})
    lines += ["", "* leads. With so many scores, one in twenty strays beyond real clips by chance."]
    lines.append(f"Protocol {evaluation.fingerprint} ({evaluation.protocol['preset']}).")
    return "\n".join(lines)


def _is_property(score: Score) -> bool:
    return score.metric.startswith("property_")


def _floor_reach(floor: Floor | None, is_upward: bool) -> tuple[float, float | None]:
    """The middle of a floor, and its end beyond which a score is worse than real clips; None where there is none."""
    if floor is None:
        return 0.0, None
    if floor.interval is None or floor.measured is None:
        only = floor.measured if floor.measured is not None else floor.closed_form
        return only or 0.0, only
    return floor.measured, floor.interval.low if is_upward else floor.interval.high


def _row(score: Score) -> tuple[str, ...]:
    floor = score.floor
    spread = None if floor is None else floor.interval
    value = number_within(score.value, score.interval or spread)
    return (
        f"{'*' if score.lead else ' '} {score.title}",
        f"{value} {score.unit}".rstrip(),
        "" if score.interval is None else range_text(score.interval),
        "" if spread is None else range_text(spread),
        _WORDS[standing(score)],
    )


def _tables(tables: dict[str, Sequence[tuple[str, ...]]]) -> Iterator[str]:
    """All tables with one set of column widths."""
    rows = [*((title, *_COLUMNS) for title in tables), *(row for table in tables.values() for row in table)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for title, table in tables.items():
        yield ""
        yield _line((title, *_COLUMNS), widths)
        yield from (_line(row, widths) for row in table)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(sentence: str) -> str:
    return fill(sentence, _WIDTH)
