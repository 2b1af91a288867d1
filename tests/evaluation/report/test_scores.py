# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from evaluation.report.scores import scores_section
from evaluation.results import Floor, Interval
from tests.evaluation.report.examples import full_evaluation, score


def parsed(*scores: object) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{scores_section(scores)}</div>".replace("<br>", "<br/>"))  # type: ignore[arg-type]


def rows(root: ElementTree.Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for body in root.iter("tbody") for row in body]


def test_every_score_has_a_row_in_the_plot_and_in_the_table() -> None:
    scores = full_evaluation().scores
    root = parsed(*scores)
    assert len(rows(root)) == len(scores)
    plots = [item for item in root.iter("div") if (item.get("class") or "") in ("row", "row faded")]
    assert len(plots) == len(scores)
    estimates = [item for item in root.iter("circle") if item.get("class") == "estimate"]
    assert len(estimates) == len(scores) - 1 + 2, "all but the one that is not a number, and two in the legend"


def test_scores_of_two_protocols_share_no_table() -> None:
    scores = [score(fingerprint="aaaa"), score(fingerprint="bbbb"), score(metric="n", fingerprint="aaaa")]
    root = parsed(*scores)
    captions = ["".join(item.itertext()) for item in root.iter("caption")]
    assert captions == ["Scores of protocol aaaa", "Scores of protocol bbbb"]
    assert [len(list(body)) for body in root.iter("tbody")] == [2, 1]
    assert "do not compare across them" in "".join(root.itertext())
    assert "do not compare across them" not in "".join(parsed(*scores[:1]).itertext())


def test_the_lead_comes_first_with_its_twin() -> None:
    twins = score(title="lead", lead=True), score(title="lead", reference="held_out")
    names = [row[0] for row in rows(parsed(score(title="other", metric="o"), *twins))]
    assert [name.split("lower")[0] for name in names] == ["lead", "lead", "other"]


def test_what_must_not_be_read_is_pale_and_says_why() -> None:
    root = parsed(score(meaningful=False, note="N is under 1.3 D"), score(metric="n"))
    (faded,) = [row for body in root.iter("tbody") for row in body if row.get("class") == "faded"]
    assert "Not meaningful: N is under 1.3 D" in "".join(faded.itertext())
    assert "not meaningful: N is under 1.3 D" in "".join(root.itertext())


def test_a_row_holds_all_that_is_needed_to_read_it() -> None:
    (row,) = rows(parsed(score(num_features=384)))
    assert row == ["Distancelower is better", "training", "3.02.5 to 3.6", "1.000.80 to 1.30", "0.950",
                   "210", "128", "384", ""]  # fmt: skip


def test_methods_are_named_once_with_their_coverage() -> None:
    root = parsed(score(), score(metric="n"), score(metric="o", interval=None))
    notes = ["".join(item.itertext()) for item in root.findall("./ul[last()]/li")]
    assert notes == [
        "Intervals: 95\N{NO-BREAK SPACE}%, jackknife over patients; in simulation it held the truth in "
        "94\N{NO-BREAK SPACE}% of the cases.",
        "Spread of floors: 90\N{NO-BREAK SPACE}%, quantiles over 20 splits; its coverage was not simulated.",
        "1 score without an interval: no method of known coverage applies.",
    ]


def test_an_interval_that_lies_elsewhere_says_where() -> None:
    beside = Interval(1.0, 2.0, 0.95, "jackknife", 0.94, centre=1.5)
    root = parsed(score(3.0, interval=beside), score(1.46, metric="n", interval=beside))
    assert [row[2] for row in rows(root)] == ["3.01.0 to 2.0, around 1.5", "1.51.0 to 2.0"]
    assert "A tick inside an interval is the estimate that it lies around." in "".join(root.itertext())


def test_notes_of_floors_are_told_once() -> None:
    floor = Floor(None, None, None, note="3 groups of real clips are too few to split")
    text = "".join(parsed(score(floor=floor), score(metric="n", floor=floor)).itertext())
    assert text.count("Floors: 3 groups of real clips are too few to split.") == 1


def test_no_scores_are_said_to_be_none() -> None:
    assert "No scores" in "".join(parsed().itertext())
