# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What one line of a table or one entry of annotations says about a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monai_feat.data.datalist import DatalistError

__all__ = ["ClipRow"]


@dataclass(frozen=True)
class ClipRow:
    """One line about a clip; empty where it says nothing.

    Attributes:
        image: name of the clip, or of one of its frames.
        label: name of its mask.
        group: its patient or sequence.
        category: its class.
        split: its side of the split.
    """

    image: str
    label: str = ""
    group: str = ""
    category: str = ""
    split: str = ""

    def joined(self, other: ClipRow, where: str) -> ClipRow:
        """Join with another line about the same clip; classes that differ are none.

        Raises:
            DatalistError: the lines give two groups or two sides.
        """
        for name in ("group", "split"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine != its:
                raise DatalistError(f"{where}: lines about one clip say {name} {mine!r} and {its!r}")
        return replace(self, category=self.category if self.category == other.category else "")
