# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import html
import re
from dataclasses import replace

from evaluation.report.method import limits_section, method_section
from tests.evaluation.report.examples import EVIL, empty_evaluation, full_evaluation, score


def test_the_protocol_is_told_in_full() -> None:
    protocol = {"a": {"b_c": 1, "d": {}}, "e": [1.5, None, True], "f": 1e-9, EVIL: "g"}
    section = method_section(replace(empty_evaluation(), protocol=protocol, fingerprint="3fa9"))
    found = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", section))
    assert {html.unescape(key): value for key, value in found.items()} == {
        "a · b c": "1", "a · d": "none", "e": "1.5, none, yes", "f": "1e-09", EVIL: "g",
    }  # fmt: skip
    assert "<code>3fa9</code>" in section


def test_sources_stand_side_by_side() -> None:
    sources = {"train": {"path": "a", "codec": {"h264": 3, "png": 1}}, "fake": {"path": "b", "loop": True}}
    section = method_section(replace(empty_evaluation(), sources=sources))
    body = section[section.index("<tbody>") : section.index("</tbody>")]
    rows = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body)]
    assert rows == [["path", "a", "b"], ["codec", "h264: 3, png: 1", "–"], ["loop", "–", "yes"]]


def test_command_time_and_versions_are_told() -> None:
    section = method_section(full_evaluation())
    assert "monai-feat evaluate lung/train runs/&lt;script&gt;" in section
    assert "It took 3 min 14 s." in section
    assert "<dt>torch</dt><dd>2.13.0</dd>" in section
    assert "It took 2 h 0 min." in method_section(replace(empty_evaluation(), seconds=7200.0))
    assert "It took 4.2 s." in method_section(replace(empty_evaluation(), seconds=4.2))


def test_what_an_evaluation_lacks_is_a_limit() -> None:
    full = replace(full_evaluation(), scores=(score(reference="held_out"),))
    assert limits_section(full).count("<li>") == 6
    assert limits_section(replace(full, gate=None)).count("<li>") == 7
    assert limits_section(replace(full, scores=(score(interval=None),), gate=None, curves=())).count("<li>") == 10
