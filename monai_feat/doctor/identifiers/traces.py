# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a look at the metadata of a file has found, and what it could not see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Traces", "first_names"]

_NAMED = 12


@dataclass(frozen=True)
class Traces:
    """What may identify somebody in one file: names of fields and counts, never values.

    Attributes:
        found: fields that hold something, in words.
        uids: number of unique identifiers, which every DICOM file has and which lead back to its source.
        unseen: what could not be looked at, in words.
    """

    found: tuple[str, ...] = ()
    uids: int = 0
    unseen: tuple[str, ...] = ()

    @classmethod
    def joined(cls, parts: Iterable[Traces]) -> Traces:
        """Join what several files of one clip hold."""
        listed = list(parts)
        found = dict.fromkeys(text for part in listed for text in part.found)
        unseen = dict.fromkeys(text for part in listed for text in part.unseen)
        return cls(tuple(found), sum(part.uids for part in listed), tuple(unseen))


def first_names(names: Iterable[str]) -> str:
    """Write names out, the first dozen of them.

    Example:
        >>> first_names(["a", "b"])
        'a, b'
    """
    listed = list(dict.fromkeys(names))
    return ", ".join(listed[:_NAMED]) + (f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else "")
