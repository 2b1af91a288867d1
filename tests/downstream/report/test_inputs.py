# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from downstream.report import Example, ReportArm, ReportInput, Sample, write_report
from downstream.scores import Score, read_scores

ARMS = (ReportArm("real", "reference", "what there is"), ReportArm("real + synthetic x1", "synthetic", ratio=1.0))
SCORES = [Score(arm.name, 1.0, 0, 0, "p", "c", "dice", 0.5) for arm in ARMS]


def study(**changes: object) -> ReportInput:
    return ReportInput(**{"title": "A study", "scores": SCORES, "arms": ARMS, "smallest_effect": 0.02, **changes})  # type: ignore[arg-type]


def test_the_scores_are_written_beside_the_page(tmp_path: Path) -> None:
    page = write_report(tmp_path / "new" / "folder", study())
    assert "what there is" in page.read_text(encoding="utf-8")
    assert read_scores(page.with_name("scores.csv")) == SCORES


def test_arms_are_named_by_kind_where_they_have_scores() -> None:
    more = (*ARMS, ReportArm("always empty", "baseline"))
    assert study(arms=more).reference == "real"
    assert study(arms=more).named("synthetic", "baseline") == ["real + synthetic x1"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"arms": ARMS[1:]}, "exactly one arm of kind 'reference'"),
        ({"arms": (*ARMS, ReportArm("also real", "reference"))}, "got .'real', 'also real'."),
        ({"arms": ARMS[:1]}, "scores of .'real . synthetic x1'., which are not among"),
        ({"metric": "dise"}, "known are dice"),
        ({"smallest_effect": 0.0}, "above 0"),
        ({"scores": [*SCORES, *SCORES]}, "occurs twice"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        study(**change)


def test_a_mask_of_another_size_is_refused() -> None:
    image = torch.zeros(1, 2, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"a.mp4, real: expected a uint8 mask \(1, 2, 8, 8\)"):
        Example("p", "a.mp4", image, image, {"real": image[:, :1]})
    with pytest.raises(ValueError, match=r"b.mp4: expected a uint8 mask .*; got torch.float32 \(1, 2, 8, 8\)"):
        Sample("fold 0", "b.mp4", image, image.float())
