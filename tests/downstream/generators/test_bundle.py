# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diffusion bundle as a generator: the commands that it is given, and a real one on a tiny budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from downstream.generators import GENERATORS, reconstruct
from downstream.study import Generator
from monai_feat.data import load_clip, read_datalist
from tests.downstream.generators.requests import BUNDLE, DATA, TINY, make_request


def test_it_sees_the_training_clips_and_nothing_else(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    request = make_request(tmp_path)
    made = GENERATORS["bundle"](request)
    assert [item.flags for item in made] == [{"synthetic": 1}] * 3
    assert list(commands) == ["train_autoencoder", "train", "inference"]
    assert {options["dataset_dir"] for options in commands.values()} == {request.folder / "datalist.json"}
    assert read_datalist(request.folder / "datalist.json").training == tuple(request.train)


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
