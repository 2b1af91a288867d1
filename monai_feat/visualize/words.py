# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from monai_feat.visualize.markup import format_number

__all__ = ["count", "join_words", "percent"]


def count(number: int, noun: str) -> str:
    """Return a number and its noun.

    Example:
        >>> count(1, "clip"), count(2, "copy")
        ('1 clip', '2 copies')
    """
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{format_number(number)} {noun if number == 1 else plural}"


def percent(share: float) -> str:
    r"""Return a share in per cent.

    Example:
        >>> percent(0.95), percent(0.0483)
        ('95\xa0%', '4.8\xa0%')
    """
    digits = 2 if share < 0.995 else 3
    return f"{100 * share:.{digits}g}\N{NO-BREAK SPACE}%"


def join_words(words: Sequence[str]) -> str:
    """Return a list as people say it.

    Example:
        >>> join_words(["blur", "noise", "freeze"])
        'blur, noise and freeze'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
