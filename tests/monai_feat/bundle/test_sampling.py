# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import monai
import pytest
import torch

from monai_feat.bundle import ConfigKeyError, running_config, sample_bundle, sample_folder
from monai_feat.data import load_clip
from monai_feat.records import RECORD, read_record

BUNDLE = Path(__file__).resolve().parents[3] / "bundles" / "feat_ultrasound"
TINY = {"num_sampling_steps": 2, "num_frames": 4, "frame_size": 32}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def sample(output_dir: Path, num_clips: int, **options: Any) -> list[Path]:
    return sample_bundle(BUNDLE, output_dir, num_clips, **TINY, **options)


def test_clips_are_files_and_the_manifest_says_what_made_them(tmp_path: Path) -> None:
    files = sample(tmp_path / "new", 2, first_clip=7, seed=5, output_format="nifti")
    assert [file.name for file in files] == ["clip_000007.nii.gz", "clip_000008.nii.gz"]
    assert load_clip(files[0]).shape == (1, 4, 32, 32)
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text())
    record = read_record(tmp_path / "new" / RECORD)
    assert manifest["settings"]["seed"] == record["config"]["seed"] == record["seeds"]["seed"] == 5
    assert (record["kind"], record["status"], record["config"]["num_clips"]) == ("sampling", "finished", 2)
    assert record["packages"]["monai"] == monai.__version__
    weights = {weights["name"]: weights["sha256"] for weights in record["weights"]}
    names = [f"{name}.safetensors" for name in ("autoencoder", "feat", "feat_early")]
    assert weights == {name: hashlib.sha256((BUNDLE / "models" / name).read_bytes()).hexdigest() for name in names}
    results = {result["name"]: result["sha256"] for result in record["results"]}
    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}.items() <= results.items()


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped while the third of four clips is written; the second run makes the two that are missing."""
    whole = sample(tmp_path / "whole", 4, batch_size=1, output_format="latents")
    suffix, write = sample_folder._WRITERS["latents"]
    written: list[Path] = []

    def killed(clip: torch.Tensor, path: Path, rate: float, comment: str) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write(clip, path, rate, comment)

    with monkeypatch.context() as patch:
        patch.setitem(sample_folder._WRITERS, "latents", (suffix, killed))
        with pytest.raises(KeyboardInterrupt):
            sample(tmp_path / "parts", 4, batch_size=1, output_format="latents")
    before = {file: file.stat().st_mtime_ns for file in written}
    parts = sample(tmp_path / "parts", 4, batch_size=1, output_format="latents")
    assert {file: file.stat().st_mtime_ns for file in written} == before
    assert [file.read_bytes() for file in parts] == [file.read_bytes() for file in whole]
    assert sample(tmp_path / "parts", 4, output_format="latents") == parts


def test_errors_are_those_of_the_matter_and_not_monais(tmp_path: Path) -> None:
    sample(tmp_path, 1)
    with pytest.raises(FileExistsError, match="seed: 0 there, 1 now"):
        sample(tmp_path, 1, seed=1)
    with pytest.raises(ConfigKeyError, match=r"'sed' \(did you mean 'seed'\?\)"):
        sample(tmp_path, 1, sed=1)
    with pytest.raises(FileNotFoundError, match="expected the folder of a bundle, such as feat_ultrasound"):
        sample_bundle(tmp_path, tmp_path / "out", 1)
    with pytest.raises(RuntimeError, match="only works as an expression in a bundle config"):
        running_config()
