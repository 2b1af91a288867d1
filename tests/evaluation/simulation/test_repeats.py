# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from evaluation.simulation.repeats import DESIGNS, GENERATORS, draw, main, share_found


def test_clips_of_a_patient_lie_together() -> None:
    features = draw((2, 2), torch.Generator().manual_seed(0), within=1e-6)
    distances = torch.cdist(features, features)
    assert distances[0, 1] < 1e-4 < distances[0, 2]


@pytest.mark.parametrize("design", DESIGNS)
def test_collapse_is_found_and_diversity_is_not_blamed(design: str) -> None:
    assert share_found(design, "one clip, over and over", 20) == 1
    assert share_found(design, "as diverse as the real clips", 100) < 0.15


def test_the_command_writes_a_row_for_every_generator(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replicates", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2 + len(GENERATORS)
    assert {row.count("|") for row in rows} == {len(DESIGNS) + 2}


def test_an_unknown_design_is_refused() -> None:
    with pytest.raises(KeyError):
        share_found("nobody", "one clip, over and over", 1)
