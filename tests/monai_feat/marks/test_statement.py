# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from monai_feat import __version__
from monai_feat.marks import SOURCE_TYPE, make_statement, parse_statement


def test_a_statement_is_one_line_of_ascii_with_the_term_of_the_iptc() -> None:
    text = make_statement()
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["digitalSourceType"] == SOURCE_TYPE
    mark = parse_statement(text)
    assert mark is not None
    assert mark.generator == f"monai-feat {__version__}"


def test_statements_of_others_are_read_and_other_texts_are_none() -> None:
    mark = parse_statement(json.dumps({"digitalSourceType": SOURCE_TYPE}))
    assert mark == ("unknown", "")


@pytest.mark.parametrize(
    "text", ["", "filmed on Monday", "[1]", "{}", '{"digitalSourceType": "digitalCapture"}', "[" * 999]
)
def test_other_texts_are_no_marks(text: str) -> None:
    assert parse_statement(text) is None
