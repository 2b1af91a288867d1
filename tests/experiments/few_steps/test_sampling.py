# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.few_steps import sampling
from experiments.few_steps.sampling import Cell, Shape, sample_once
from monai_feat.apps.recipe import Recipe
from monai_feat.data import load_clip

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

SHAPE = Shape(num_clips=2, num_frames=4, size=32)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe("ultrasound", "phantom:ultrasound", tmp_path, from_scratch=False)


def test_clips_are_those_of_the_bundle(recipe: Recipe, tmp_path: Path) -> None:
    sampled = sample_once(recipe, Cell("rectified_flow", 3, 5), SHAPE, recipe.weights("feat"), tmp_path / "clips")
    recipe.run(
        "inference",
        output_dir=str(tmp_path / "bundle"),
        output_format="nifti",
        num_clips=2,
        num_frames=4,
        frame_size=32,
        sampler="rectified_flow",
        num_sampling_steps=3,
        seed=5,
    )
    expected = [load_clip(path).as_tensor() for path in sorted((tmp_path / "bundle").glob("clip_*.nii.gz"))]
    assert torch.equal(sampled.pixels, torch.stack(expected))
    assert sampled.seconds > 0


def test_a_cell_is_sampled_once(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, weights = Cell("rectified_flow", 2, 0), recipe.weights("feat")
    first = sample_once(recipe, cell, SHAPE, weights, tmp_path)
    monkeypatch.delattr(sampling, "sample")
    again = sample_once(recipe, cell, SHAPE, weights, tmp_path)
    assert torch.equal(again.pixels, first.pixels)
    assert again.seconds == pytest.approx(first.seconds, rel=1e-5)
    with pytest.raises(FileExistsError, match=r'"num_clips": 2.* there, .*"num_clips": 3.* now'):
        sample_once(recipe, cell, SHAPE._replace(num_clips=3), weights, tmp_path)
