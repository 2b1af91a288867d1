# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluation.report import BUDGET, write_report
from evaluation.report.writing import report_data
from tests.evaluation.report.examples import EVIL, empty_evaluation, full_evaluation, score
from tests.monai_feat.visualize.browser import Visit, headless_browser
from tests.monai_feat.visualize.test_page import Checker


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless_browser() as found:
        yield found


@pytest.fixture(scope="module", params=["ultrasound", "endoscopy"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full report of grey clips, and one of RGB clips."""
    return write_report(full_evaluation(request.param), tmp_path_factory.mktemp("report"))


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def test_the_page_is_well_formed_and_complete(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    seen = Checker(text).seen
    assert seen.count("script") == 1
    assert seen.count("section") == 7
    box = ["Read this first", "a codec on one side", "Kernel distance of random", "likely copy"]
    main = ["Scores against floors<", "Real, training", "Copies found", "Properties of the clips<",
            "What the distances see<", "How this was made<", "What these numbers cannot say<"]  # fmt: skip
    places = [text.index(words, text.index("<body>")) for words in box]
    places += [text.index(words, text.index("<main>")) for words in main]
    assert places == sorted(places)


def test_json_holds_all_but_pixels(report: Path) -> None:
    data = json.loads((report.parent / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)
    evaluation = full_evaluation("ultrasound" if "ultrasound" in data["title"] else "endoscopy")
    expected = json.loads(json.dumps(evaluation.to_dict()), parse_constant=lambda _: None)
    assert {key: data[key] for key in expected} == expected
    assert set(data) - set(expected) == {"verdict", "not_finite"}
    assert data["verdict"]["tone"] == "alarm"
    assert "base64" not in json.dumps(data)


def test_numbers_that_are_not_finite_are_null_and_named() -> None:
    evaluation = replace(empty_evaluation(), scores=(score(math.nan), score(-math.inf)), protocol={"path": Path("a/b")})
    data = report_data(evaluation)
    assert [found["value"] for found in data["scores"]] == [None, None]
    assert data["not_finite"]["scores.0.value"] == "nan"
    assert data["not_finite"]["scores.1.value"] == "-inf"
    assert data["protocol"] == {"path": "a/b"}


def test_the_least_evaluation_makes_a_report(tmp_path: Path) -> None:
    path = write_report(empty_evaluation(), tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "report.html"
    text = path.read_text(encoding="utf-8")
    assert Checker(text).seen.count("section") == 5
    for words in ("No scores were computed", "No clips were kept", "Not run", "were not looked for"):
        assert words in text
    assert json.loads((path.parent / "report.json").read_text())["scores"] == []


def test_file_names_that_are_not_unicode_do_not_stop_a_report(tmp_path: Path) -> None:
    path = write_report(replace(empty_evaluation(), title="clip \udcff\x00"), tmp_path)
    assert "clip \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}" in path.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text())["title"] == "clip \udcff\x00"


@pytest.mark.parametrize("share", [0.7, 0.5])
def test_a_page_over_its_budget_shows_less_and_says_so(tmp_path: Path, share: float) -> None:
    whole = write_report(full_evaluation(), tmp_path)
    assert "To keep the page light" not in whole.read_text(encoding="utf-8")
    budget = int(share * whole.stat().st_size)
    small = write_report(full_evaluation(), tmp_path, budget)
    assert small.stat().st_size <= budget < BUDGET
    assert "To keep the page light, it shows at most" in small.read_text(encoding="utf-8")


def test_a_budget_that_cannot_be_met_is_an_error_and_leaves_what_was_there(tmp_path: Path) -> None:
    page = write_report(empty_evaluation(), tmp_path)
    before = page.read_bytes()
    with pytest.raises(ValueError, match="without pictures, the budget is 1000"):
        write_report(full_evaluation(), tmp_path, budget=1000)
    assert page.read_bytes() == before
    assert json.loads((tmp_path / "report.json").read_text())["title"] == full_evaluation().title
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.html", "report.json"]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_report_fits_the_screen_and_asks_for_nothing(browser: Any, report: Path, width: int) -> None:
    with Visit(browser, report, width) as visit:
        assert visit.overflow() == 0
        assert not visit.foreign_requests
        assert not visit.complaints
        assert visit.page.title().startswith("Synthetic")
        assert visit.page.get_by_role("heading", name="Scores against floors").is_visible()
        assert visit.page.get_by_text(EVIL).count() > 0


def test_the_clips_of_a_report_play(browser: Any, report: Path) -> None:
    with Visit(browser, report) as visit:
        clips = visit.page.locator("img.clip")
        assert clips.count() == 6 + 9 + 9  # abreast at the top; three of each side; three pairs with their difference
        for number in (0, 6, 15):
            first = picture(clips.nth(number))
            changes = (np.abs(picture(clips.nth(number)) - first).mean() for _ in range(20))
            assert any(change > 0.2 for change in changes), f"clip {number} stands still"


def test_a_report_prints_whole_and_without_buttons(browser: Any, report: Path) -> None:
    with Visit(browser, report, width=680) as visit:  # A4 less its margins, at 96 dots per inch
        visit.page.emulate_media(media="print")
        assert visit.overflow() == 0, "tables are cut off at the edge of the paper"
        assert not visit.page.locator(".controls").first.is_visible()
        assert visit.page.locator("img.clip").first.is_visible()
        assert visit.page.evaluate("document.getAnimations().length") == 0


def picture(locator: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), dtype=np.float64)
