# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is taken over from an evaluation of the generator's clips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from downstream.report import Sample
from downstream.report.examples import PLANS
from downstream.report.findings import find
from downstream.report.generator import Fidelity, generator_section, read_fidelity
from evaluation.report import write_report as write_evaluation
from tests.downstream.report.studies import EVIL, draw, evaluation, parsed, small_study, table_rows, words
from tests.evaluation.report.examples import full_evaluation

CAPTION = "Of the same generator’s clips"
STILL = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)


def score(metric: str, reference: str = "held_out", value: float = 1.0, **changes: Any) -> dict[str, Any]:
    facts = {"metric": metric, "title": metric.title(), "unit": "", "reference": reference, "value": value}
    return {**facts, "interval": None, "floor": None, **changes}


def fidelity(*scores: dict[str, Any], label: str = "fold 0", **changes: Any) -> Fidelity:
    facts = {"passed": True, "copies": 0, "note": "", "fingerprint": "3fa91c07", "warnings": ()}
    return Fidelity(label, tuple(scores), **{**facts, **changes})


def section(*columns: Fidelity, **changes: Any) -> str:
    return generator_section(find(small_study(**changes)), columns, PLANS[0])


def rows_of(*columns: Fidelity) -> dict[str, list[str]]:
    return table_rows(parsed(section(*columns)), CAPTION)


def test_a_report_and_its_folder_are_read_alike(tmp_path: Path) -> None:
    file = evaluation(tmp_path, has_copies=True)
    found = read_fidelity("a", file.parent)
    assert found == read_fidelity("a", file)
    assert (found.passed, found.copies, len(found.scores), found.fingerprint) == (False, 2, 3, "3fa91c07")


def test_the_report_of_a_real_evaluation_is_read(tmp_path: Path) -> None:
    evaluated = full_evaluation()
    found = read_fidelity("a", write_evaluation(evaluated, tmp_path).parent)
    assert [score["title"] for score in found.scores] == [score.title for score in evaluated.scores if score.meaningful]
    assert (found.passed, found.copies, found.warnings) == (False, 1, evaluated.warnings)
    shown = section(found)
    assert "copies found" in shown
    assert "real clips among themselves: 0.000400" in shown


def test_scores_that_must_not_be_read_are_left_out(tmp_path: Path) -> None:
    scores = [
        score("good", meaningful=True),
        score("not meaningful", meaningful=False),
        score("not finite", meaningful=True, value=None),
    ]
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"scores": scores, "gate": None, "fingerprint": "f", "warnings": ["few clips"]}))
    found = read_fidelity("a", file)
    assert [each["metric"] for each in found.scores] == ["good"]
    assert (found.passed, found.copies, found.note, found.warnings) == (None, 0, "", ("few clips",))


@pytest.mark.parametrize("content", ['{"scores": []}', "[1]", "no JSON", '{"scores": [{}], "gate": null}', "null"])
def test_other_files_are_refused_by_name(content: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json: is not a report\.json of monai-feat evaluate"):
        read_fidelity("a", tmp_path / "other.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        read_fidelity("a", tmp_path / "nowhere")


def test_a_score_against_training_clips_is_shown_only_where_there_is_none_against_others() -> None:
    rows = rows_of(fidelity(score("near"), score("near", "train"), score("own", "train")))
    assert list(rows) == ["", "Memorisation gate", "Near, against held-out clips", "Own, against training clips"]
    elsewhere = rows_of(fidelity(score("near", "train")), fidelity(score("near"), label="fold 1"))
    assert elsewhere["Near, against training clips"] == ["1.00", "–"]
    assert elsewhere["Near, against held-out clips"] == ["–", "1.00"]


def test_a_cell_has_the_interval_and_the_floor() -> None:
    interval, floor = {"low": 2.0, "high": 4.0}, {"measured": 0.5}
    rows = rows_of(fidelity(score("d", value=3.0, unit="mm", interval=interval, floor=floor)))
    assert rows["D, mm, against held-out clips"] == ["3.0 | 2.0 to 4.0; real clips among themselves: 0.500"]
    unknown = rows_of(fidelity(score("d", value=3.0, floor={"measured": None})))
    assert unknown["D, against held-out clips"] == ["3.00"]
    assert rows_of(fidelity(score("d", reference="another set")))["D, against another set"] == ["1.00"]


def test_the_gate_stands_first() -> None:
    columns = [
        fidelity(label="a"),
        fidelity(label="b", passed=False, copies=1),
        fidelity(label="c", passed=False),
        fidelity(label="d", passed=None),
    ]
    rows = rows_of(*columns)
    assert rows[""] == ["a", "b", "c", "d"]
    assert rows["Memorisation gate"] == [
        "passed",
        "copies found | 1 clip nearer to a training clip than chance allows",
        "not passed",
        "not run",
    ]


def test_warnings_and_notes_are_told_with_their_column() -> None:
    said = section(fidelity(warnings=("few clips",), note="12 held-out clips are few."), fidelity(label=EVIL))
    asides = [words(each) for each in parsed(said).iter("p") if each.get("class") == "aside"]
    assert asides == ["fold 0: few clips", "fold 0: 12 held-out clips are few."]
    assert not list(parsed(said).iter("script"))


def test_columns_of_different_protocols_are_not_to_be_compared() -> None:
    warning = "Each column is compared with its own real clips"
    assert warning in section(fidelity(), fidelity(label="b", fingerprint="other"))
    assert warning not in section(fidelity(), fidelity(label="b"))


def test_the_gain_is_told_beside_the_scores_where_there_is_one() -> None:
    assert "“real + synthetic x1” with all real data: +0.0" in section(fidelity())
    assert section(fidelity(), scores=draw({"real": 0.0})).startswith("<p>How near the clips are to real ones")


def test_samples_are_shown_without_an_evaluation_and_as_far_as_there_is_room() -> None:
    found = find(small_study(samples=[Sample("fold 0", "a.mp4", STILL, STILL)]))
    alone = generator_section(found, [], PLANS[0])
    assert [words(heading) for heading in parsed(alone).iter("h3")] == ["fold 0"]
    assert not list(parsed(alone).iter("table"))
    both = generator_section(found, [fidelity()], PLANS[0])
    assert both.startswith(alone)
    assert list(parsed(both).iter("table"))
    assert generator_section(found, [], PLANS[-1]) == ""
    assert generator_section(found, [fidelity()], PLANS[-1]) == both.removeprefix(alone)
