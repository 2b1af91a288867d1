# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diffusion bundle as a generator: the commands that it is given, and a real one on a tiny budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from downstream.clips import prepare_clips, write_clip
from downstream.generators import GENERATORS, Request, reconstruct
from downstream.generators.bundle_run import BundleRun
from downstream.study import Data, Generator, Phantoms, StudyError
from monai_feat.data import ClipItem, load_clip, read_datalist
from monai_feat.files import read_json

BUNDLE = Path(__file__).parents[3] / "bundles" / "feat_ultrasound"
DATA = Data("ultrasound", phantoms=Phantoms("ultrasound", 3, 3, num_folds=2), frame_size=32, num_frames=2)
TINY = Generator("bundle", BUNDLE, autoencoder_steps=2, feat_steps=2, sampling_steps=2)


def make_request(folder: Path, generator: Generator = TINY) -> Request:
    train = prepare_clips(DATA, folder / "clips", seed=0, progress=False).training
    (folder / "generator").mkdir()
    return Request(DATA, generator, train, 3, folder / "generator", seed=5, progress=False)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the bundle is asked to do; clips appear without it."""
    given: dict[str, dict[str, Any]] = {}

    def record(run: BundleRun, config: str, *overlays: Path, **options: Any) -> None:
        given[config] = {**run.form, **options}
        for file in overlays:
            given[config] |= read_json(file)
        if config == "inference":
            image = torch.zeros(1, 2, 32, 32, dtype=torch.uint8)
            for i in range(options["num_clips"]):
                label = image if run.label_channels else None
                write_clip(ClipItem(run.bundle), image, label, run.request.stem(i), 1)

    monkeypatch.setattr(BundleRun, "run", record)
    return given


def test_it_sees_the_training_clips_and_nothing_else(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    request = make_request(tmp_path)
    made = GENERATORS["bundle"](request)
    assert [item.flags for item in made] == [{"synthetic": 1}] * 3
    assert list(commands) == ["train_autoencoder", "train", "inference"]
    assert {options["dataset_dir"] for options in commands.values()} == {request.folder / "datalist.json"}
    assert read_datalist(request.folder / "datalist.json").training == tuple(request.train)


def test_the_steps_are_those_of_the_study(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    request = make_request(tmp_path, replace(TINY, autoencoder_steps=70, feat_steps=120))
    GENERATORS["bundle"](request)
    for config, steps in (("train_autoencoder", 70), ("train", 120)):
        options = commands[config]
        epoch = -(-options["num_clips"] // options["batch_size"])
        assert steps <= epoch * options["max_epochs"] < steps + epoch
        assert options["num_clips"] % len(request.train) == 0


def test_from_scratch_no_shipped_weights_are_read(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    GENERATORS["bundle"](make_request(tmp_path, replace(TINY, start="scratch")))
    assert commands["train_autoencoder"]["autoencoder_weights"] is None
    assert commands["train"]["network_weights"] is None


def test_a_trained_one_is_only_sampled(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    weights = {"autoencoder_weights": tmp_path / "a", "network_weights": tmp_path / "n"}
    trained = Generator("trained", BUNDLE, training_groups=("x",), **weights)  # type: ignore[arg-type]
    GENERATORS["trained"](make_request(tmp_path, trained))
    assert list(commands) == ["inference"]
    assert {key: commands["inference"][key] for key in weights} == weights


def test_masks_are_asked_for_in_turn_then_mirrored(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    request = replace(make_request(tmp_path, replace(TINY, kind="bundle_from_masks", autoencoder_steps=0)), num_clips=5)
    made = GENERATORS["bundle_from_masks"](request)
    assert list(commands) == ["train", "inference"]  # the shipped autoencoder does as it is
    assert {options["label_channels"] for options in commands.values()} == {0}
    assert commands["train"]["conditions"][0]["num_labels"] == DATA.num_classes
    assert commands["inference"]["guidance_scale"] == 2
    assert commands["inference"]["prompts"] == {"label": [str(item.label) for item in made]}
    for i, item in enumerate(made):
        assert item.label is not None
        truth = load_clip(str(request.train[i % 3].label)).as_tensor()
        torch.testing.assert_close(load_clip(item.label).as_tensor(), truth.flip(-1) if i >= 3 else truth)


def test_a_command_that_fails_shows_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"(?s)inference of .*feat_ultrasound ended with .*num_klips"):
        BundleRun(make_request(tmp_path)).run("inference", num_klips=3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bundle", "bundle_from_masks"])
def test_a_real_bundle_makes_clips_with_masks(tmp_path: Path, kind: Literal["bundle", "bundle_from_masks"]) -> None:
    request = make_request(tmp_path, replace(TINY, kind=kind))
    made = GENERATORS[kind](request)
    for items in (made, reconstruct(request)):
        for item in items:
            assert item.label is not None
            assert load_clip(item.image).shape == (1, 2, 32, 32)
            assert set(load_clip(item.label).unique().tolist()) <= {0, 1}
    differences = [
        (load_clip(found.image).as_tensor().float() - load_clip(real.image).as_tensor().float()).abs().mean()
        for found, real in zip(reconstruct(request), request.train, strict=True)
    ]
    assert max(differences) < 20  # the shipped autoencoder knows such clips
