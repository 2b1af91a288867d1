# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from typing import Any

import pytest
from monai.bundle import ConfigParser

from monai_feat.apps.console import run_plainly, setting


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=3", 3), ("a=1e-3", 0.001), ("a=None", "None"), ("a=null", None), ("a=[1, x]", [1, "x"]), ("a=b=c", "b=c")],
)
def test_settings_are_read_as_yaml(text: str, value: Any) -> None:
    assert setting(text) == ("a", value)


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected NAME=VALUE, got 'steps'"):
        setting("steps")


def test_what_people_can_act_on_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    config = ConfigParser({"clip": "$open('a clip.mp4')"})
    assert run_plainly("sample", lambda: config.get_parsed_content("clip")) == 2
    error = capsys.readouterr().err
    assert error.startswith("sample: ")
    assert "a clip.mp4" in error
    assert error.count("\n") == 1
    assert run_plainly("sample", lambda: None) == 0


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_plainly("sample", lambda: 1 / 0)
