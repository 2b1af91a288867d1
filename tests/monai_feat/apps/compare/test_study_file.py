# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

import pytest

from monai_feat.apps.compare.study_file import folder_name, read_study

GOOD = "title: T\nbundle: feat_ultrasound\nbudget: {steps: 5}\nvariants: {a: , 'b c': {seed: 1}}\n"


def test_reads_what_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(GOOD)
    study = read_study(file)
    assert study.variants == {"a": {}, "b c": {"seed": 1}}
    assert study.seeds == (0, 1, 2)
    assert study.folder.name == "feat_ultrasound"
    assert folder_name("b c") == "b_c"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("title", "titel"), "does not know ['titel']; the known keys are budget, bundle, common"),
        (("title: T\n", ""), "lacks title"),
        (("{a: , 'b c': {seed: 1}}", "{a: }"), "expected two variants and a seed at least"),
        (("{a: , 'b c'", "{'a!': , 'a?'"), "names of variants differ only in signs"),
        (("{steps: 5}", "{steps: 5, cpu_seconds: 5}"), "budget: expected one of steps, cpu_seconds, over 0"),
        (("{steps: 5}", "5"), "budget: expected names and values, got 5"),
    ],
)
def test_what_is_wrong_is_said(change: tuple[str, str], complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(ValueError, match=re.escape(complaint)):
        read_study(file)
