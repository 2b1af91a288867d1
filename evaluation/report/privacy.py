# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the weights tell the patients that they were trained on, in words and as a table."""

from __future__ import annotations

from monai_feat.visualize import Cell, Html, format_number, join, notice, paragraph, table

from ..privacy.findings import Membership, TruePositiveRate
from .score_text import count, percent

__all__ = ["about_membership", "privacy_section"]


def about_membership(found: Membership) -> str:
    """Return the answer in one or two sentences."""
    sides = [f"{count(clips, 'clip')} of {count(patients, 'patient')}" for clips, patients in _sizes(found)]
    compared = f"errors on {sides[0]} of the training against {sides[1]} held out, p {format_number(found.p_value, 2)}"
    if found.tells:
        return (
            f"The weights tell the patients that they were trained on from others ({compared}; {_leading(found)}): do "
            "not share these weights."
        )
    if not found.is_calibrated:
        missing = found.needed - found.num_patients[1]
        return (
            f"Whether the weights tell their training patients cannot be said ({compared}): it takes {found.needed} "
            f"held-out patients, {missing} more than there are."
        )
    return (
        f"The weights do not tell their training patients from others by their errors ({compared}; {_leading(found)})."
    )


def privacy_section(found: Membership) -> Html:
    """Return the answer, the true-positive rates, and what each error tells."""
    explained = paragraph(
        "What weights have learnt by heart they denoise and reconstruct better. Each clip was denoised at several "
        "levels of noise, and its errors were set beside those of clips of such detail and motion. Held-out patients, "
        "who are taken for training patients at the rate of false positives, say what is small by chance. This holds "
        "where patients were held out at random. It is one attack: a stronger one may tell more."
    )
    by_error = [[name, format_number(order, 2)] for name, order in found.by_error.items()]
    caption = "Chance that a training patient has a smaller error than a held-out one; 0.5 tells nothing"
    return join(
        [
            _answer(found),
            explained,
            _rates(found),
            table({"Error": "text", "Chance": "number"}, by_error, caption),
        ]
    )


def _answer(found: Membership) -> Html:
    text = paragraph(about_membership(found))
    if found.tells:
        return notice("alarm", "Patients are told", text)
    return notice("good", "Patients are not told", text) if found.passed else notice("caution", "Not calibrated", text)


def _sizes(found: Membership) -> list[tuple[int, int]]:
    return list(zip(found.num_clips, found.num_patients, strict=True))


def _leading(found: Membership) -> str:
    """The rate of patients at the most false positives."""
    rate = max((rate for rate in found.rates if rate.unit == "patient"), key=lambda rate: rate.false_positive_rate)
    if rate.value is None:
        return "too few patients for rates"
    return f"{percent(rate.value)} of patients found at {percent(rate.false_positive_rate)} false positives"


def _rates(found: Membership) -> Html:
    rows: list[list[str | Cell]] = [
        [rate.unit, percent(rate.false_positive_rate), *_rate_cells(rate)] for rate in found.rates
    ]
    columns = {"Of each": "text", "False positives": "number", "Found": "number", "95 % interval": "text"}
    return table(columns, rows, "Training that is found")  # type: ignore[arg-type]


def _rate_cells(rate: TruePositiveRate) -> tuple[str, str]:
    if rate.value is None or rate.interval is None:
        return "", f"takes {round(1 / rate.false_positive_rate) - 1} held-out patients"
    return percent(rate.value), f"{percent(rate.interval[0])} to {percent(rate.interval[1])}"
