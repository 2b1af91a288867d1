# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What names of files and folders give away: dates, record numbers, unique identifiers, and what looks like people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import PurePath

from monai_feat.data.folder_search.units import stem_of
from monai_feat.doctor.identifiers.field_words import FIELD_WORDS

__all__ = ["traces_in_name"]

_UID = re.compile(r"(?<![\d.])[012](\.\d+){4,}(?![\d.])")
_DATE = re.compile(
    r"(?<!\d)((19|20)\d\d([-_. ]?)(0[1-9]|1[0-2])\3(0[1-9]|[12]\d|3[01])"
    r"|(0[1-9]|[12]\d|3[01])([-_. ]?)(0[1-9]|1[0-2])\7(19|20)\d\d"
    r"|(0[1-9]|1[0-2])([-_. ]?)(0[1-9]|[12]\d|3[01])\11(19|20)\d\d)"
)
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?!000)\d{7,}(?![0-9A-Za-z])")
_NUMBER_OF_RECORD = re.compile(r"(?:mrn|pid|patientid|patid|case[ _-]?no|fallnr)[ _=-]?\d{4,}", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w{2,}")
_CARET = re.compile(r"[^\W\d_]+\^+[^\W\d_]+")
_TITLE = re.compile(r"(?<![^\W_])(?:mr|mrs|ms|dr|prof|herr|frau|mme)[ _.-]+[^\W\d_]{2,}", re.IGNORECASE)


def traces_in_name(path: PurePath) -> list[str]:
    """Say what in a relative path may identify somebody, in words without the name itself.

    Names of people cannot be told from all other words: two capitalised words beside each other, neither of which the
    field knows, are taken for one; single words are not found.

    Example:
        >>> traces_in_name(PurePath("Doe_Jane/2019-03-04_liver.mp4"))
        ['what looks like the name of a person', 'a date']
    """
    parts = [*path.parts[:-1], stem_of(path).name]
    return list(dict.fromkeys(_in_parts(parts)))


def _in_parts(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        without_uid = _UID.sub("", part)
        if without_uid != part:
            yield "a unique identifier"
        if _DATE.search(without_uid):
            yield "a date"
        rest = _DATE.sub(" ", without_uid)
        if _LONG_NUMBER.search(rest) or _NUMBER_OF_RECORD.search(rest):
            yield "a long number, such as of a record"
        if _MAIL.search(rest):
            yield "an e-mail address"
        if _CARET.search(rest) or _TITLE.search(rest) or _has_person(rest):
            yield "what looks like the name of a person"


def _has_person(text: str) -> bool:
    """Whether two neighbouring capitalised words are both unknown to the field."""
    words = re.split(r"[\s_,.\-^]+", text)
    return any(_is_name(a) and _is_name(b) for a, b in pairwise(words))


def _is_name(word: str) -> bool:
    return (
        len(word) > 1
        and word.isalpha()
        and (word[0].isupper() and (word[1:].islower() or (word.isupper() and len(word) > 2)))
        and word.lower() not in FIELD_WORDS
    )
