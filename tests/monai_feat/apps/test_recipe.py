# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How commands train: what they guess, the commands that they print, the time that they take."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from monai_feat.apps import recipe
from monai_feat.apps.recipe import Recipe, epochs_for, look_at, make_recipe
from monai_feat.data import PHANTOMS, ClipItem, Datalist, write_datalist


@pytest.mark.parametrize("kind", sorted(PHANTOMS))
def test_modality_is_guessed_from_colour(clips: dict[str, Path], kind: str) -> None:
    (clips[kind] / "0 broken.mp4").write_bytes(b"not a video")
    assert look_at(str(clips[kind])) == (kind, False)


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        ("ultrasound_video/lung", ("ultrasound", False)),
        ("endoscopy_video", ("endoscopy", False)),
        ("polyp_seg/images", ("endoscopy", True)),
    ],
)
def test_what_real_clips_seem_to_be(shared_data: Path, relative: str, expected: tuple[str, bool]) -> None:
    assert look_at(str(shared_data / relative)) == expected


@pytest.mark.parametrize("configs", [("train",), ("train", "rectified_flow")])
def test_printed_command_is_the_one_that_runs(
    configs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = {}
    monkeypatch.setattr(recipe, "run", lambda **options: ran.update(options))
    job = Recipe("endoscopy", "phantom:endoscopy", Path("a folder"), from_scratch=False)
    job.run(*configs, output_dir="a folder/x", network_weights=None, num_clips=3)
    words = shlex.split(capsys.readouterr().out.replace("\\\n", " ").removeprefix("\n$ "))
    assert words[:4] == [sys.executable, "-m", "monai.bundle", "run"]
    printed = dict(zip((word.removeprefix("--") for word in words[4::2]), words[5::2], strict=True))
    assert printed == {key: str(value) for key, value in ran.items()}


def test_scratch_starts_without_weights() -> None:
    job = Recipe("endoscopy", "phantom:endoscopy", Path("x"), from_scratch=True)
    assert job.start_weights("feat") is None


def recorded(recipe_: Recipe, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    ran: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(recipe, "run", lambda **options: ran.update({Path(options["config_file"]).stem: options}))
    recipe_.train()
    return ran


@pytest.mark.parametrize(("seconds", "num_clips"), [(10.0, 120), (1000.0, 350), (1e6, 2000)])
def test_time_is_shared_and_decides_how_much_is_encoded(
    seconds: float, num_clips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = recorded(Recipe("endoscopy", "phantom:endoscopy", Path("x"), False, seconds=seconds), monkeypatch)
    assert list(ran) == ["train_autoencoder", "train"]
    share = ran["train_autoencoder"]["train::named_handlers::time_budget::share"]
    assert ran["train_autoencoder"]["max_seconds"] == seconds  # all of it may go into reading
    assert ran["train"]["max_seconds"] == pytest.approx((1 - share) * seconds, abs=1)
    assert ran["train"]["num_clips"] == num_clips
    assert ran["train"]["autoencoder_weights"] == str(Path("x") / "autoencoder" / "autoencoder.safetensors")


def test_a_datalist_gives_its_training_clips(clips: dict[str, Path], tmp_path: Path) -> None:
    write_datalist(Datalist((ClipItem(clips["ultrasound"] / "0.mp4", group="a"),)), tmp_path / "list.json")
    made = make_recipe(str(tmp_path / "list.json"), None, tmp_path, from_scratch=False, seconds=1)
    assert (made.modality, made.is_phantom, made.on_bad) == ("ultrasound", False, "skip")


def test_phantoms_name_their_bundle() -> None:
    assert make_recipe("phantom:ultrasound", None, Path("x"), False, 1).bundle.name == "feat_ultrasound"
    assert make_recipe(None, None, Path("x"), False, 1).source == "phantom:endoscopy"
    with pytest.raises(FileNotFoundError, match="feat_heart: no such bundle"):
        _ = make_recipe("phantom:heart", None, Path("x"), False, 1).bundle


@pytest.mark.parametrize(("num_steps", "num_clips", "expected"), [(10, 8, 10), (10, 9, 5), (11, 16, 6)])
def test_whole_epochs_make_the_steps(num_steps: int, num_clips: int, expected: int) -> None:
    assert epochs_for(num_steps, num_clips, batch_size=8) == expected
