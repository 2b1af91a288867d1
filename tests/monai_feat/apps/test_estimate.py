# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from monai_feat.apps.estimate import main


def test_says_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "pico", "--frames", "4", "--size", "8", "--batch", "2"]) == 0
    printed = capsys.readouterr().out
    assert "FEAT-pico, clips 2 x 4 x 4 x 8 x 8" in printed
    gibibytes = [float(line.split()[-2]) for line in printed.splitlines()[1:]]
    weights, state, activations, training, sampling = gibibytes
    assert state == pytest.approx(4 * weights, abs=2e-3)
    assert training >= weights + activations - 1e-3
    assert weights <= sampling <= training


def test_a_clip_that_does_not_fit_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "pico", "--size", "7,8"]) == 2
    assert "estimate: frames must be a multiple of the patch size 2" in capsys.readouterr().err


def test_says_how_long_steps_take_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "pico", "--frames", "2", "--size", "4", "--time"]) == 0
    training, sampling = capsys.readouterr().out.splitlines()[-2:]
    assert training.endswith("s of this machine's processor")
    assert "a training step" in training
    assert "a sampling step" in sampling
