# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monai_feat.apps.sample import main
from monai_feat.bundle import find_bundle, sample_bundle
from monai_feat.data import load_clip

TINY = {"num_sampling_steps": 2, "num_frames": 4, "frame_size": 32}
SET = [text for key, value in TINY.items() for text in ("--set", f"{key}={value}")]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_clips_are_those_of_the_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "my samples"
    arguments = ["feat_ultrasound", "--num-clips", "1", "--seed", "7", "--out", str(out), *SET]
    assert main([*arguments, "--set", "output_format=nifti"]) == 0
    (expected,) = sample_bundle(
        find_bundle("feat_ultrasound"), tmp_path / "expected", 1, seed=7, output_format="nifti", **TINY
    )
    made = load_clip(out / "clip_000000.nii.gz")
    assert (made == load_clip(expected)).all()
    scored = f"evaluate phantom:ultrasound:1 '{out}' --held-out phantom:ultrasound:2 --gate --out {tmp_path}/report"
    assert f"Next: monai-feat {scored}" in capsys.readouterr().out


def test_a_refusal_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["feat_ultrasond", *out]) == 2
    assert "expected a folder with configs, or the name of a shipped bundle: feat_endoscopy" in capsys.readouterr().err
    assert main(["feat_ultrasound", *out, "--set", "sed=3"]) == 2
    error = capsys.readouterr().err
    assert "'sed' (did you mean 'seed'?)" in error
    assert error.count("\n") == 1
    half = tmp_path / "run" / "autoencoder"
    half.mkdir(parents=True)
    shutil.copy(find_bundle("feat_ultrasound") / "models" / "autoencoder.safetensors", half)
    assert main([str(half.parent), *out]) == 2
    assert f"{half.parent} was not trained to its end: run its monai-feat train again" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
