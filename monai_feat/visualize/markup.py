# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""HTML and SVG out of plain function calls. What is not markup already is escaped, so no name can break a page."""

from __future__ import annotations

import math
import re
from html import escape

__all__ = ["Html", "element", "format_number", "format_range", "join", "text"]

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
# Control characters, lone surrogates (file names that are not UTF-8) and marks that turn the direction of writing.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_LARGE, _MOST_DECIMALS = 1e6, 6  # beyond these, numbers are written with a power of ten
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Html(str):
    """Markup. A plain `str` is text, whatever it looks like; `Html` put into an f-string becomes text too."""

    __slots__ = ()


def text(value: str) -> Html:
    """Return text as markup; what no page can hold or should hold becomes U+FFFD.

    Example:
        >>> text("1 < 2")
        '1 &lt; 2'
    """
    return value if isinstance(value, Html) else Html(escape(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", value)))


def join(parts: list[Html] | tuple[Html, ...]) -> Html:
    """Return pieces of markup as one."""
    return Html("".join(parts))


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """Return one element of HTML or SVG.

    Args:
        name: of the element, such as ``p``.
        *children: markup as `Html`; any other string is text and is escaped.
        **attributes: ``class_`` becomes ``class``, ``aria_label`` becomes ``aria-label``. None and False leave an
            attribute out, True writes its name alone.

    Raises:
        ValueError: an element that cannot have children was given some.

    Example:
        >>> element("p", "a < b", element("b", "c"), class_="note")
        '<p class="note">a &lt; b<b>c</b></p>'
    """
    opening = Html(f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>")
    if name not in _VOID:
        return join([opening, *(text(child) for child in children), Html(f"</{name}>")])
    if children:
        raise ValueError(f"<{name}> cannot have children, got {len(children)}")
    return opening


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    written = str(value) if isinstance(value, str) else f"{value:.6g}"  # str: quotes in markup would end the attribute
    return f' {name}="{text(written)}"'


def format_number(value: float | None, digits: int = 3, width: float | None = None) -> str:
    """Return a number for people: thin blanks between thousands, powers of ten where they help.

    Args:
        value: integers are written out; None becomes a dash.
        digits: how many are significant.
        width: of the interval that the number lies in: the number then ends with the second digit of the width.

    Example:
        >>> [format_number(value) for value in (0.012345, 12.0, 1234567.0, -2e-9, None)]
        ['0.0123', '12.0', '1.23 × 10⁶', '−2.00 × 10⁻⁹', '–']
        >>> format_number(0.012345, width=0.3), format_number(12.345, width=0.3)
        ('0.01', '12.35')
    """
    if value is None:
        return "–"
    if width and math.isfinite(width) and math.isfinite(value):
        decimals = max(0, 1 - _power(width))
        if decimals <= _MOST_DECIMALS and abs(value) < _LARGE:
            return _plain(value, decimals)
        return format_number(float(value), max(1, 2 + _power(value) - _power(width)))
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\N{THIN SPACE}").replace("-", "−")
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if power >= -4 and abs(value) < _LARGE:
        return _plain(value, max(0, digits - 1 - power))
    return f"{mantissa} × 10{str(power).translate(_SUPERSCRIPT)}".replace("-", "−")


def format_range(low: float, high: float) -> str:
    """Return the two ends of an interval, without a dash, which would read as a minus sign.

    Example:
        >>> format_range(-0.003, 0.012)
        '−0.003 to 0.012'
    """
    return f"{format_number(low, width=high - low)} to {format_number(high, width=high - low)}"


def _plain(value: float, decimals: int) -> str:
    written = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0 makes a zero of a negative zero
    return written.replace(",", "\N{THIN SPACE}").replace("-", "−")


def _power(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else -400
