# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, run

from monai_feat.apps.auto3dseg import predict_masks
from monai_feat.bundle import copy_bundle
from monai_feat.checkpoints import load_checkpoint, read_metadata
from monai_feat.data import load_clip, write_mp4, write_phantoms

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "video_segmentation"
TINY = {"frame_size": 32, "init_filters": 4, "batch_size": 2, "steps_per_epoch": 2, "warmup_steps": 1}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def run_config(configs: str, output_dir: Path, **overrides: Any) -> Path:
    """Run configs as the command line does, and return the folder where their files are."""
    files = [str(BUNDLE / "configs" / f"{name}.json") for name in configs.split()]
    changes = {"bundle_root": str(BUNDLE), "output_dir": str(output_dir), **overrides}
    run(config_file=files, logging_file=False, **changes)
    return output_dir


def error_of(configs: str, output_dir: Path, **overrides: Any) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - MONAI wraps in errors of its own
        run_config(configs, output_dir, **overrides)
    causes, error = [], caught.value
    while error is not None:
        causes.append(str(error))
        error = error.__cause__  # type: ignore[assignment]
    return "\n".join(causes)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segmentation") / "set"
    write_phantoms("endoscopy", folder, 4, 4, 48, num_frames=4, num_folds=2, test_share=0, progress=False)
    return folder / "datalist.json"


@pytest.fixture(scope="module")
def training(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    options = {**TINY, "image_channels": 3, "num_frames": 2, "context": "clip", "augmentation": "strong"}
    return run_config("train", folder, dataset_dir=str(phantoms), max_epochs=1, **options)


def test_training_leaves_its_files(training: Path) -> None:
    assert sorted(path.name for path in training.iterdir()) == [
        "checkpoints",
        "loss.png",
        "model.pt",
        "model.safetensors",
        "record.json",
        "tensorboard",
    ]
    weights = load_checkpoint(training / "model.safetensors")
    torch.testing.assert_close(load_checkpoint(training / "model.pt"), weights, rtol=0, atol=0)


def test_a_resumed_training_has_the_bits_of_an_uninterrupted_one(phantoms: Path, tmp_path: Path) -> None:
    options = {**TINY, "image_channels": 3, "num_frames": 2, "context": "clip", "augmentation": "strong"}
    options |= {"dataset_dir": str(phantoms), "max_epochs": 2}
    whole = run_config("train", tmp_path / "whole", **options)
    shutil.copytree(whole / "checkpoints", tmp_path / "parts" / "checkpoints")
    (tmp_path / "parts" / "checkpoints" / "checkpoint_epoch=2.pt").unlink()
    parts = run_config("train", tmp_path / "parts", resume_from="last", **options)
    one, other = (load_checkpoint(folder / "model.safetensors") for folder in (whole, parts))
    torch.testing.assert_close(other, one, rtol=0, atol=0)


def test_inference_writes_masks_of_the_clips_own_size(training: Path, phantoms: Path, tmp_path: Path) -> None:
    """They are those of `predict_masks`, which finds its settings beside the weights."""
    clips = sorted((phantoms.parent / "clips").rglob("*.mp4"))
    weights = training / "model.safetensors"
    folder = phantoms.parent / "clips"
    out = run_config("inference", tmp_path, dataset_dir=str(folder), network_weights=str(weights))
    assert "settings" in read_metadata(weights)
    for item, expected in predict_masks(weights, [{"image": clip} for clip in clips]):
        mask = load_clip(out / Path(item["image"]).relative_to(folder).with_name(f"{item['image'].stem}_mask.nii.gz"))
        assert mask.shape == (1, 4, 48, 48)
        assert mask.meta["frame_rate"] == pytest.approx(load_clip(item["image"]).meta["frame_rate"])
        assert (mask.as_tensor() != expected).float().mean() < 1e-3  # logits are resized there, probabilities here


def test_the_shipped_weights_know_phantoms(tmp_path: Path) -> None:
    run_config("train evaluate", tmp_path, num_phantoms=16, seed=5)
    with (tmp_path / "metrics.csv").open() as file:
        ((name, score),) = csv.reader(file)
    assert name == "dice"
    assert float(score) > 0.9
    with (tmp_path / "dice_raw.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert rows[0]["filename"].startswith("phantom:ultrasound")


def test_the_example_can_be_read_as_a_labelling_server_does(tmp_path: Path) -> None:
    """Preprocessing, inferer and postprocessing one by one, from the config alone, on one file."""
    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / "inference.json"))
    parser.read_meta(str(BUNDLE / "configs" / "metadata.json"))
    parser.update({"bundle_root": str(BUNDLE), "output_dir": str(tmp_path)})
    network = parser.get_parsed_content("network_def").eval()
    bundle = copy_bundle(BUNDLE, tmp_path / "bundle")  # which has the file that such a server loads
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    item = {"image": str(BUNDLE / "examples" / "phantom.mp4")}
    item = parser.get_parsed_content("preprocessing")(item)
    with torch.no_grad():
        item["pred"] = parser.get_parsed_content("inferer")(inputs=item["image"][None], network=network)[0]
    for transform in parser.get_parsed_content("postprocessing").transforms[:-1]:
        item = transform(item)
    assert item["pred"].shape == (1, 32, 112, 112)
    assert 0.02 < float(item["pred"].float().mean()) < 0.4
    assert parser.get("_meta_::network_data_format::outputs::pred::channel_def::1") == "left ventricle"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"dataset_dir": "no/such.json"}, "no/such.json: is not a datalist; make one with folds"),
        ({"fold": 7}, r"has no fold 7; it has [0, 1]"),
        ({"augmentation": "wild"}, "expected augmentation to be one of"),
        ({"frame_size": 40}, "expected frame_size to be 16 times 2 or more, got 40"),
        ({"lerning_rate": 3}, "'lerning_rate' (did you mean 'learning_rate'?)"),
    ],
)
def test_bad_input_gets_a_clear_error(phantoms: Path, tmp_path: Path, overrides: dict[str, Any], message: str) -> None:
    options = {**TINY, "dataset_dir": str(phantoms), "image_channels": 3, "max_epochs": 1, **overrides}
    assert message in error_of("train", tmp_path, **options)


def test_no_clips_to_segment(tmp_path: Path) -> None:
    assert "no clips in this folder" in error_of("inference", tmp_path, dataset_dir=str(tmp_path))
    write_mp4(torch.zeros(3, 2, 32, 32, dtype=torch.uint8), tmp_path / "a.mp4", 8.0)
    (tmp_path / "a.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:300])
    assert "a.mp4" in error_of("inference", tmp_path / "out", dataset_dir=str(tmp_path))
