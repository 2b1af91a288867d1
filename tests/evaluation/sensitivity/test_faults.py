# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults that are named of corrupted phantoms: the right word, and none for clean ones."""

from __future__ import annotations

import pytest

from evaluation.sensitivity.faults import main


def test_clean_blurred_noisy_and_flickering_clips_get_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", "phantom:ultrasound", "--num-clips", "8", "--size", "32", "--seeds", "1", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines if "|" in line
    }
    assert rows["as they are"][0] == "nothing 100"
    assert rows["Blur"][3] == "blur 100"
    assert "noise" in rows["Noise"][3]
    assert "flicker" in rows["Flicker"][3]
    assert len(rows) == 12  # clean, nine corruptions, and two lines of the head


def test_bad_data_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", "nowhere", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("faults: ")
