# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which DICOM attributes identify: those that the Basic Application Level Confidentiality Profile removes or replaces.

PS3.15, Table E.1-1, edition 2026c, as ``dicom-anonymizer`` keeps it; beside it every attribute that holds the name of a
person.
"""

from __future__ import annotations

from functools import cache, lru_cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_VR, keyword_for_tag

__all__ = ["DATES", "is_identifying", "is_private", "is_uid", "known_tags", "name_of"]

DATES = frozenset(("DA", "TM", "DT"))
_UIDS = frozenset((group << 16) | element for group, element in table.U_TAGS)
_TAGS = frozenset((entry[0] << 16) | entry[1] for entry in table.ALL_TAGS if len(entry) == 2)
# Repeating groups: a tag, and which of its bits count.
_MASKED = tuple(
    ((entry[0] << 16) | entry[1], (entry[2] << 16) | entry[3]) for entry in table.ALL_TAGS if len(entry) == 4
)


@cache
def is_identifying(tag: int) -> bool:
    """Whether an attribute is removed or replaced by the profile, or holds a person's name; UIDs count apart."""
    if tag in _UIDS:
        return False
    return tag in _TAGS or any(tag & bits == base & bits for base, bits in _MASKED) or _vr_of(tag) == "PN"


def is_uid(tag: int) -> bool:
    """Whether an attribute is a unique identifier that the profile replaces."""
    return tag in _UIDS


def is_private(tag: int) -> bool:
    """Whether an attribute is a manufacturer's own, which the profile removes."""
    return bool((tag >> 16) % 2)


@lru_cache(maxsize=1)
def known_tags() -> frozenset[int]:
    """Attributes that identify by themselves, without those of repeating groups, sequences and UIDs."""
    return frozenset(tag for tag in _TAGS - _UIDS if _vr_of(tag) not in ("SQ", "UI", ""))


def name_of(tag: int) -> str:
    """The keyword of an attribute, such as ``PatientName``, or its number."""
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
