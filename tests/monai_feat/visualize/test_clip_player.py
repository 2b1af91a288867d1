# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from monai_feat.visualize import MOST_FRAMES, Page, clip_player, clip_set, film_strip
from tests.monai_feat.visualize.browser import Visit, headless_browser

RATE = 10.0
MOST_LOOKS = 100  # in pictures, not in seconds: a busy machine takes few of them in a second


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless_browser() as found:
        yield found


def stairs(num_frames: int = 8, channels: int = 1, size: tuple[int, int] = (48, 64)) -> Tensor:
    """Frame t is of one colour, the brighter the later; channels differ."""
    steps = torch.linspace(0, 240, num_frames).round().to(torch.uint8)
    scale = torch.tensor([1.0, 0.5, 0.25])[:channels]
    colours = (scale[:, None] * steps).round().to(torch.uint8)
    return colours[:, :, None, None].expand(channels, num_frames, *size).contiguous()


def written(folder: Path, *players: str) -> Path:
    page = Page("clips")
    page.section("Clips", clip_set(players, "all"))  # type: ignore[arg-type]
    file = folder / "page.html"
    file.write_text(page.render(), encoding="utf-8")
    return file


def shown_grey(visit: Visit, number: int = 0) -> float:
    """Mean red of what a clip shows now, its outermost pixels left out."""
    shot = Image.open(io.BytesIO(visit.page.locator("img.clip").nth(number).screenshot())).convert("RGB")
    return float(np.asarray(shot)[3:-3, 3:-3, 0].mean())


def test_a_strip_holds_the_frames_side_by_side() -> None:
    clip = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 5, 6, 8), dtype=np.uint8))
    clip = clip.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
    strip = np.asarray(Image.open(io.BytesIO(film_strip(clip, quality=95))).convert("RGB"), dtype=np.float64)
    frames = strip.reshape(48, 5, 68, 3)[:, :, 2:-2].transpose(3, 1, 0, 2)
    assert np.abs(frames - clip.numpy()).mean() < 8


def test_a_grey_clip_is_stored_as_its_grey_colours() -> None:
    grey = stairs()
    assert film_strip(grey) == film_strip(grey.expand(3, -1, -1, -1))


def test_frames_are_reduced_and_never_enlarged() -> None:
    widths = [Image.open(io.BytesIO(film_strip(stairs(2), width=width))).size for width in (32, 64, 500)]
    assert widths == [(2 * 36, 24), (2 * 68, 48), (2 * 68, 48)]


def test_the_window_starts_at_the_first_frame_and_ends_behind_the_last() -> None:
    figure = clip_player(stairs(8, size=(40, 60)), RATE, "a")
    start, end = (float(value) for value in re.findall(r"--(?:from|to):([\d.]+)%", figure))
    overflow = 8 * 64 - 60  # of 8 frames with 2 pixels on both sides, beyond a window of one frame
    assert start / 100 * overflow == pytest.approx(2, abs=1e-3)
    assert end / 100 * overflow == pytest.approx(8 * 64 + 2, abs=1e-3)
    assert "aspect-ratio:60/40" in figure
    assert "animation-duration:0.8s;animation-timing-function:steps(8)" in figure


def test_a_long_clip_plays_its_first_frames() -> None:
    figure = clip_player(stairs(MOST_FRAMES + 9, size=(8, 8)), RATE, "a")
    assert f'data-frames="{MOST_FRAMES}"' in figure
    data = base64.b64decode(re.findall(r"base64,([^\"]+)", figure)[0])
    assert Image.open(io.BytesIO(data)).width == MOST_FRAMES * 12


def test_what_is_no_clip_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"expected a uint8 clip, got torch\.float32"):
        clip_player(torch.zeros(1, 2, 4, 4), RATE, "a")
    with pytest.raises(ValueError, match=r"C = 1 or 3, got \(2, 2, 4, 4\)"):
        clip_player(torch.zeros(2, 2, 4, 4, dtype=torch.uint8), RATE, "a")
    with pytest.raises(ValueError, match=r"\(C, T, H, W\).*got \(2, 4, 4\)"):
        clip_player(torch.zeros(2, 4, 4, dtype=torch.uint8), RATE, "a")
    with pytest.raises(ValueError, match="frame rate above 0 Hz, got 0"):
        clip_player(stairs(), 0.0, "a")
    with pytest.raises(ValueError, match="take fewer frames or a smaller width"):
        film_strip(torch.zeros(1, 200, 8, 160, dtype=torch.uint8))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_frame_is_shown_in_its_turn(browser: Any, tmp_path: Path, channels: int) -> None:
    clip = stairs(8, channels)
    with Visit(browser, written(tmp_path, clip_player(clip, RATE, "a")), width=401) as visit:
        visit.page.get_by_role("button", name="Pause").click()
        for frame in range(8):
            now = (frame + 0.5) * 1000 / RATE
            visit.page.evaluate("time => { for (const film of document.getAnimations()) film.currentTime = time }", now)
            assert shown_grey(visit) == pytest.approx(float(clip[0, frame, 0, 0]), abs=4)


def test_clips_play_by_themselves_at_their_frame_rate(browser: Any, tmp_path: Path) -> None:
    players = [clip_player(stairs(8), RATE, "a"), clip_player(stairs(8), 2 * RATE, "b")]
    with Visit(browser, written(tmp_path, *players)) as visit:
        films = "document.getAnimations().map(film => [film.playState, film.startTime, film.currentTime])"
        before = visit.page.evaluate(films)
        seen = [shown_grey(visit)]
        while len({round(grey, -1) for grey in seen}) < 3 and len(seen) < MOST_LOOKS:
            seen.append(shown_grey(visit))
        after = visit.page.evaluate(films)
        durations = visit.page.evaluate("document.getAnimations().map(film => film.effect.getTiming().duration)")
        assert len(seen) < MOST_LOOKS, "the picture does not change"
        assert [state for state, _, _ in before] == ["running", "running"]
        assert before[0][1] == before[1][1] == 0, "clips do not start on the same beat"
        assert after[0][2] > before[0][2] + 100
        assert durations == [8 / RATE * 1000, 4 / RATE * 1000]


def test_a_set_is_paused_stepped_slowed_and_played(browser: Any, tmp_path: Path) -> None:
    clip = stairs(8)
    with Visit(browser, written(tmp_path, clip_player(clip, RATE, "a"))) as visit:
        visit.page.get_by_role("button", name="Pause").click()
        visit.page.evaluate("document.getAnimations()[0].currentTime = 50")
        assert shown_grey(visit) == shown_grey(visit) == pytest.approx(0, abs=4)
        visit.page.get_by_role("button", name="one frame ahead").click()
        assert shown_grey(visit) == pytest.approx(float(clip[0, 1, 0, 0]), abs=4)
        for _ in range(2):
            visit.page.get_by_role("button", name="one frame back").click()
        assert shown_grey(visit) == pytest.approx(float(clip[0, 7, 0, 0]), abs=4)
        slow = visit.page.get_by_role("button", name="¼ speed")
        slow.click()
        assert slow.get_attribute("aria-pressed") == "true"
        visit.page.get_by_role("button", name="Play").click()
        visit.page.wait_for_timeout(50)
        assert visit.page.evaluate("document.getAnimations().map(f => [f.playState, f.playbackRate])") == [
            ["running", 0.25]
        ]
        assert not visit.complaints


def test_clips_stand_still_for_those_who_want_no_motion_until_asked(browser: Any, tmp_path: Path) -> None:
    with Visit(browser, written(tmp_path, clip_player(stairs(8), RATE, "a")), reduced_motion="reduce") as visit:
        states = "document.getAnimations().map(film => film.playState)"
        assert visit.page.evaluate(states) == ["paused"]
        visit.page.get_by_role("button", name="Play").click()
        visit.page.wait_for_timeout(50)
        assert visit.page.evaluate(states) == ["running"]


def test_clips_play_without_a_script(browser: Any, tmp_path: Path) -> None:
    with Visit(browser, written(tmp_path, clip_player(stairs(8), RATE, "a")), java_script_enabled=False) as visit:
        shades = {round(shown_grey(visit), -1) for _ in range(12)}
        assert len(shades) > 1
        assert not visit.page.get_by_role("button").count()
