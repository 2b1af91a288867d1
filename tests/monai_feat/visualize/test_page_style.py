# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

from monai_feat.visualize.page_style import SCRIPT, STYLE


def luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    digits = "".join(2 * c for c in colour) if len(colour) == 3 else colour
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_by_day_by_night_and_in_print() -> None:
    schemes = [dict(re.findall(r"--([a-z]+): #([0-9a-f]+)", rule)) for rule in re.findall(r":root \{([^}]*)", STYLE)]
    assert len(schemes) == 3
    for scheme in schemes:
        for ink in ("ink", "muted"):
            assert contrast(scheme[ink], scheme["paper"]) >= 4.5
            assert contrast(scheme[ink], scheme["soft"]) >= 4.5
        for series in ("first", "second", "third"):
            assert contrast(scheme[series], scheme["paper"]) >= 3


def test_every_colour_that_is_used_is_defined() -> None:
    defined = set(re.findall(r"--([a-z]+): #", STYLE))
    assert set(re.findall(r"var\(--([a-z]+)\)", STYLE)) - {"from", "to"} <= defined


def test_it_loads_nothing_and_ends_no_element_early() -> None:
    assert STYLE.count("{") == STYLE.count("}")
    for text in (STYLE, SCRIPT):
        assert not re.search(r"https?:|url\(|@import|</", text)
