# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from monai_feat.visualize.markup import Html, element, format_number, format_range, join, text

EVIL = "<script>alert(\"1\")</script> & 'quoted'"


def test_a_parser_gives_back_what_was_written() -> None:
    markup = element("p", EVIL, element("b", EVIL), title=EVIL)
    parsed = ElementTree.fromstring(markup)
    assert parsed.text == EVIL
    assert parsed[0].text == EVIL
    assert parsed.get("title") == EVIL


def test_markup_is_not_escaped_again_but_its_text_in_an_f_string_is() -> None:
    bold = element("b", "x")
    assert element("p", bold) == "<p><b>x</b></p>"
    assert element("p", f"{bold}") == "<p>&lt;b&gt;x&lt;/b&gt;</p>"
    assert isinstance(join([bold, bold]), Html)


def test_quotes_in_markup_do_not_end_an_attribute() -> None:
    assert ElementTree.fromstring(element("p", title=element("i", class_="x"))).get("title") == '<i class="x"></i>'


def test_attributes_are_named_left_out_and_bare() -> None:
    assert element("p", aria_label="a", class_="b", hidden=True, id=None) == '<p aria-label="a" class="b" hidden></p>'
    assert element("line", x1=0, y1=0.5) == '<line x1="0" y1="0.5"></line>'


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\udcff", "\u202e", "\u2066", "\ufffe"])
def test_what_no_page_can_hold_is_replaced(character: str) -> None:
    assert text(f"a{character}b") == "a\N{REPLACEMENT CHARACTER}b"
    text(f"a{character}b").encode("utf-8")


def test_an_element_without_children_refuses_them() -> None:
    with pytest.raises(ValueError, match="<br> cannot have children, got 1"):
        element("br", "x")


def test_numbers_keep_their_value_to_three_digits() -> None:
    rng = np.random.default_rng(0)
    translation = str.maketrans("−⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "-0123456789-")
    for value in rng.choice([-1, 1], 200) * 10.0 ** rng.uniform(-12, 12, 200):
        written = format_number(value).translate(translation).replace("\N{THIN SPACE}", "").replace(" × 10", "e")
        assert float(written) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(9.996, "10.0"), (0.0, "0"), (12, "12"), (45001, "45\N{THIN SPACE}001"), (math.nan, "not a number"),
     (-math.inf, "−∞")],
)  # fmt: skip
def test_edges_of_numbers(value: float, expected: str) -> None:
    assert format_number(value) == expected


def test_a_number_is_as_precise_as_its_interval() -> None:
    assert format_number(1840.0, width=540.0) == "1\N{THIN SPACE}840"
    assert format_number(-0.00001, width=0.5) == "0.00"
    assert format_number(3.21e8, width=2.5e6) == "3.210 × 10⁸"
    assert format_range(-9e-5, 2.4e-4) == "−0.00009 to 0.00024"
    assert format_range(0.02104, 0.03622) == "0.021 to 0.036"
    assert format_range(1.0, 1.0) == "1.00 to 1.00"
