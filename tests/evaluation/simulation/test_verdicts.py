# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Generator

from evaluation.simulation.repeats import draw
from evaluation.simulation.verdicts import DESIGNS, GENERATORS, main, say


@pytest.mark.parametrize("design", ["26, 17, 3, 2", "9 × 3", "48 × 1"])
@pytest.mark.parametrize("generator", ["one training clip, over and over", "half of its clips are one"])
def test_a_collapsed_generator_is_never_called_no_worse(design: str, generator: str) -> None:
    random, clips = Generator().manual_seed(0), DESIGNS[design]
    real = draw(clips, random)
    assert say(real, clips, GENERATORS[generator](real, clips, random)) == "too alike"


def test_few_patients_allow_no_verdict_on_a_good_one() -> None:
    random, clips = Generator().manual_seed(1), DESIGNS["26, 17, 3, 2"]
    assert say(draw(clips, random), clips, draw((1,) * 48, random)) == "cannot tell"


def test_many_patients_allow_one() -> None:
    random, clips = Generator().manual_seed(2), (1,) * 100
    assert say(draw(clips, random), clips, draw(clips, random)) == "no worse"
    assert say(draw(clips, random), clips, draw(clips, random) + 1) == "worse"


def test_the_command_writes_a_row_for_every_generator(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.simulation.verdicts.DESIGNS", {"8 × 1": (1,) * 8})
    assert main(["--replicates", "1", "--quiet"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2 + len(GENERATORS)


def test_sides_of_other_features_are_refused() -> None:
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        say(torch.randn(9, 20), (1,) * 9, torch.randn(9, 19))
