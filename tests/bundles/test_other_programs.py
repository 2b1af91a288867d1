# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs that others wrote reach into the bundles where MONAI's conventions say that they may."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, run
from monai.data import MetaTensor
from monai.fl.client import MonaiAlgoStats
from monai.fl.utils.constants import ExtraItems, FlStatistics
from monai.handlers import CheckpointLoader
from monai.transforms import Compose, EnsureTyped, LoadImaged
from PIL import Image

from monai_feat.checkpoints import load_checkpoint
from monai_feat.data import VideoReader, read_datalist, ultrasound_phantom, write_phantoms

ROOT = Path(__file__).resolve().parents[2]
DIFFUSION = ("feat_endoscopy", "feat_ultrasound")
SEGMENTATION = "video_segmentation"
SMALL: dict[str, dict[str, Any]] = {  # overrides of the smallest trainings, by config
    "train_autoencoder": {
        "num_clips": 2, "batch_size": 2, "max_epochs": 1, "frame_size": 32, "num_statistics_frames": 1,
    },
    "train": {
        "num_clips": 2, "batch_size": 2, "max_epochs": 1, "frame_size": 32, "num_frames": 2, "num_sampling_steps": 1,
        "num_val_clips": 1, "val_interval": 1,
    },
    SEGMENTATION: {
        "num_phantoms": 4, "batch_size": 2, "steps_per_epoch": 2, "max_epochs": 1, "frame_size": 32, "init_filters": 4,
    },
}  # fmt: skip
TRAININGS = [("feat_endoscopy", "train"), ("feat_ultrasound", "train_autoencoder"), (SEGMENTATION, "train")]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def bundle_of(name: str) -> Path:
    return ROOT / "bundles" / name


def train(name: str, config: str, folder: Path, **options: Any) -> Path:
    small = SMALL[SEGMENTATION if name == SEGMENTATION else config]
    run(
        config_file=str(bundle_of(name) / "configs" / f"{config}.json"),
        meta_file=str(bundle_of(name) / "configs" / "metadata.json"),
        logging_file=False,
        bundle_root=str(bundle_of(name)),
        output_dir=str(folder),
        **{**small, **options},
    )
    return folder


@pytest.mark.parametrize(("name", "config"), TRAININGS)
def test_mlflow_tracks_each_training(name: str, config: str, tmp_path: Path) -> None:
    """MONAI's stock setting, with mlflow itself."""
    mlflow = pytest.importorskip("mlflow")
    train(name, config, tmp_path, tracking="mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlruns.db")
    (experiment,) = [found for found in client.search_experiments() if found.name == "monai_experiment"]
    (tracked,) = client.search_runs([experiment.experiment_id])
    assert tracked.info.status == "FINISHED"
    expected = {"train_loss", *({"dice"} if name == SEGMENTATION else {"held_out_loss"} if config == "train" else ())}
    assert set(tracked.data.metrics) >= expected
    assert all(torch.isfinite(torch.tensor(value)) for value in tracked.data.metrics.values())
    (executed,) = tmp_path.glob("config_*.json")
    assert json.loads(executed.read_text())["batch_size"] == 2


@pytest.mark.parametrize(("name", "config"), TRAININGS[1:])
def test_a_tracking_dict_of_ones_own(name: str, config: str, tmp_path: Path) -> None:
    """It names no key that MONAI adds by itself, such as save_execute_config."""
    told = tmp_path / "told"
    handler = {
        "_target_": "monai.handlers.TensorBoardStatsHandler",
        "log_dir": str(told),
        "output_transform": "$monai.handlers.from_engine(['loss'], first=True)",
        "tag_name": "@my_tag",
    }
    settings = {
        "handlers_id": {"trainer": {"id": "train#trainer", "handlers": "train#handlers"}},
        "configs": {"my_tag": "my_loss", "trainer": handler},
    }
    train(name, config, tmp_path / "out", tracking=settings)
    assert len(list(told.glob("events*"))) == 1


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of labelled ultrasound clips, with a datalist of two folds."""
    folder = tmp_path_factory.mktemp("labelled")
    write_phantoms("ultrasound", folder, 4, 4, size=32, num_frames=4, num_folds=2, test_share=0, progress=False)
    return folder


def statistics_of(name: str, folder: Path, **options: Any) -> dict[str, Any]:
    """What MONAI's federated client tells about a bundle's data."""
    config = bundle_of(name) / "configs" / "train.json"
    workflow = ConfigWorkflow(str(config), logging_file=False, workflow_type="train", **options)
    # MONAI's own list reads clips and masks by readers that order axes differently.
    read = [LoadImaged(keys=["image", "label"], reader=VideoReader()), EnsureTyped(keys=["image", "label"])]
    algorithm = MonaiAlgoStats(str(bundle_of(name)), data_stats_transform_list=read, workflow=workflow)
    algorithm.initialize(extra={ExtraItems.APP_ROOT: str(folder)})
    extra = {FlStatistics.HIST_BINS: 10, FlStatistics.HIST_RANGE: [0, 256]}
    found: dict[str, Any] = algorithm.get_data_stats(extra=extra).statistics
    return found


@pytest.mark.parametrize("name", [*DIFFUSION, SEGMENTATION])
def test_the_federated_client_describes_the_data(name: str, labelled: Path, tmp_path: Path) -> None:
    data = labelled / "datalist.json" if name == SEGMENTATION else labelled
    options = {} if name == SEGMENTATION else {"label_channels": 2}
    found = statistics_of(name, tmp_path, dataset_dir=str(data), output_dir=str(tmp_path / "out"), **options)
    counts = {side: (part[FlStatistics.DATA_COUNT], part[FlStatistics.FAIL_COUNT]) for side, part in found.items()}
    folds = [item.fold for item in read_datalist(labelled / "datalist.json").training]
    if name == SEGMENTATION:
        assert counts == {"train": (folds.count(1), 0), "eval": (folds.count(0), 0), FlStatistics.TOTAL_DATA: (4, 0)}
    else:
        assert counts == {"train": (4, 0)}


def test_a_labelling_server_trains_the_segmentation(labelled: Path, tmp_path: Path) -> None:
    """As MONAI Label does: its lists of files, its epochs, and a loader of its own before all handlers."""
    bundle, folder = bundle_of(SEGMENTATION), tmp_path / "model"
    first = train(SEGMENTATION, "train", folder)
    torch.save(load_checkpoint(first / "model.safetensors"), tmp_path / "model.pt")
    items = read_datalist(labelled / "datalist.json").training
    data = [{"image": str(item.image), "label": str(item.label)} for item in items]
    config = ConfigParser()
    config.read_config(str(bundle / "configs" / "train.json"))
    handlers = config.get("train#handlers", [])
    loader = {
        "_target_": CheckpointLoader.__name__,
        "load_path": str(tmp_path / "model.pt"),
        "load_dict": {"model": "$@network"},
        "strict": False,
    }
    handlers.insert(0, loader)
    overrides: dict[str, Any] = {
        "train#trainer#max_epochs": 2,
        "train#dataset#data": data[:3],
        "validate#dataset#data": data[3:],
        "device": torch.device("cpu"),
        "train#handlers": handlers,
        "learning_rate": 1e-9,
        "image_channels": 1,
    }
    second = train(SEGMENTATION, "train", tmp_path / "out", **overrides)
    assert sorted(path.name for path in (second / "checkpoints").iterdir()) == [
        "checkpoint_epoch=1.pt", "checkpoint_epoch=2.pt",
    ]  # fmt: skip
    one, other = (load_checkpoint(folder / "model.safetensors") for folder in (first, second))
    learnt = [key for key, value in one.items() if value.is_floating_point() and "running" not in key]
    torch.testing.assert_close({key: other[key] for key in learnt}, {key: one[key] for key in learnt})


def test_a_labelling_server_segments_frames_in_memory(tmp_path: Path) -> None:
    """As MONAI Label does: H × W × C as its loader wraps them, through the parts of the inference config."""
    frames = ultrasound_phantom(3, (40, 56), 1).image[:, 0]  # (1, H, W)
    Image.fromarray(frames[0].numpy()).save(tmp_path / "frame.png")
    config = ConfigParser()
    config.read_config(str(bundle_of(SEGMENTATION) / "configs" / "inference.json"))
    config.update({"bundle_root": str(bundle_of(SEGMENTATION)), "device": "cpu"})
    loader, *rest = config.get_parsed_content("preprocessing").transforms
    restore, _ = config.get_parsed_content("postprocessing").transforms  # the other writes files
    meta = {"spatial_shape": (40, 56), "original_channel_dim": -1, "original_affine": None}
    handed: dict[Any, Any] = {"image": MetaTensor(frames.expand(3, -1, -1).movedim(0, -1), meta=meta)}
    masks = []
    for item in (handed, loader({"image": str(tmp_path / "frame.png")})):
        item = Compose(rest)(item)
        inferer, network = config.get_parsed_content("inferer"), config.get_parsed_content("network").eval()
        item["pred"] = inferer(item["image"][None], network)[0]
        masks.append(restore(item)["pred"])
    in_memory, from_file = masks
    assert in_memory.shape == (1, 40, 56)  # of the shape that it was handed, for the server's own transforms
    assert from_file.shape == (1, 1, 40, 56)
    assert torch.equal(in_memory.as_tensor(), from_file[:, 0].as_tensor())
    assert 0 < in_memory.float().mean() < 0.5


@pytest.mark.parametrize("name", [*DIFFUSION, SEGMENTATION])
def test_the_zoo_finds_what_it_asks_for(name: str) -> None:
    """Sections, licence of the data, scores that the text explains; a generator has no labels to offer."""
    bundle = bundle_of(name)
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    text = (bundle / "docs" / "README.md").read_text()
    sections = {line.removeprefix("## ").lower() for line in text.splitlines() if line.startswith("## ")}
    assert sections >= {"data", "performance", "system", "references"}
    assert (bundle / "docs" / "data_license.txt").read_text()
    assert "supported_apps" in metadata
    assert metadata["version"] in metadata["changelog"]
    assert metadata["eval_metrics"]
    for score in metadata["eval_metrics"].values():
        assert re.search(rf"\b{re.escape(str(score))}\b", text), f"README does not say where {score} comes from"
    labels = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    assert bool(labels) == (name == SEGMENTATION)
    assert "TorchScript" in text


def test_lists_of_clips_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"(?s).*") as caught:
        train(SEGMENTATION, "train", tmp_path, **{"train#dataset#data": [{"image": "a.mp4"}]})
    error: BaseException | None = caught.value
    messages = []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__
    assert any("1 of 1 clips cannot be used" in message for message in messages)
