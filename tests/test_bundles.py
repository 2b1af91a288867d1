# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundles keep MONAI's contracts and their own promises: files on the disk, and errors that help."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, load, run, verify_metadata, verify_net_in_out
from monai.fl.client import MonaiAlgo, MonaiAlgoStats

from monai_feat.bundle import check_config, copy_bundle
from monai_feat.checkpoints import load_checkpoint, load_weights
from monai_feat.data import load_clip, probe_video, write_mp4, write_phantoms
from monai_feat.engines import ReconstructionPrepareBatch
from monai_feat.networks.nets import FEAT, ClipSegmenter, FrameAutoencoder

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("feat_endoscopy", "feat_ultrasound")
SEGMENTATION = "video_segmentation"  # its trainings are tested in bundles/test_video_segmentation.py
NETWORKS = {**dict.fromkeys(NAMES, (FEAT, "feat")), SEGMENTATION: (ClipSegmenter, "model")}
WORKFLOWS = {"train": "train", "train_autoencoder": "train", "inference": "infer"}
OVERLAYS = {
    "adversarial": "train_autoencoder",
    "decoder": "adversarial",
    "conditioned": "train",
    "evaluate": "train",
    "diffusion": "train",
    "multi_gpu_train": "train",
    "multi_gpu_train_autoencoder": "train_autoencoder",
    "multi_gpu_inference": "inference",
    "sharded_train": "multi_gpu_train",
}
METADATA_KEYS = [  # mandatory by https://docs.monai.io/en/stable/bundle/mb_specification.html
    "version",
    "changelog",
    "monai_version",
    "pytorch_version",
    "numpy_version",
    "required_packages_version",
    "task",
    "description",
    "authors",
    "copyright",
    "network_data_format",
]
SAMPLED = {"num_sampling_steps": 2, "num_frames": 4, "frame_size": 32}
TRAINED = {"num_clips": 4, "batch_size": 2, "max_epochs": 1, "frame_size": 32}
TRAINED["decay_share"] = 1e-9  # the learning rate does not depend on where a training ends

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def bundle_of(name: str) -> Path:
    return ROOT / "bundles" / name


def each_bundle(*configs: str) -> pytest.MarkDecorator:
    """Parametrise a test by all bundles, and by those of the configs that each of them has."""
    pairs = [(name, config) for name in NETWORKS for config in configs]
    there = [(name, config) for name, config in pairs if (bundle_of(name) / "configs" / f"{config}.json").is_file()]
    return pytest.mark.parametrize(("name", "config"), there, indirect=["name"])


def files_of(bundle: Path, config: str) -> list[str]:
    """Return the files of a config; an overlay comes after what it lies on."""
    stack = [config]
    while stack[0] in OVERLAYS:
        stack.insert(0, OVERLAYS[stack[0]])
    return [str(bundle / "configs" / f"{name}.json") for name in stack]


def read(bundle: Path, config: str) -> dict[str, Any]:
    content: dict[str, Any] = ConfigParser.load_config_files(files_of(bundle, config))
    return content


def run_config(name: str, config: str, output_dir: Path, **overrides: Any) -> Path:
    """Run a config of a bundle as the command line does, and return the folder where its files are."""
    bundle = bundle_of(name)
    changes = {"bundle_root": str(bundle), "output_dir": str(output_dir), **overrides}
    run(config_file=files_of(bundle, config), logging_file=False, **changes)
    return output_dir


def message_of(error: BaseException | None) -> str:
    return "" if error is None else f"{error}\n{message_of(error.__cause__)}"


def targets(content: Any) -> Iterator[str]:
    values = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    if isinstance(content, dict) and "_target_" in content:
        yield content["_target_"]
    for value in values:
        yield from targets(value)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def autoencoder(name: str, work: Path) -> Path:
    """A folder in which a tiny autoencoder was trained."""
    return run_config(name, "train_autoencoder", work / name / "autoencoder", num_statistics_frames=2, **TRAINED)


@pytest.fixture(scope="module")
def tiny(autoencoder: Path) -> dict[str, Any]:
    """Overrides of a tiny diffusion training."""
    weights = {"autoencoder_weights": str(autoencoder / "autoencoder.safetensors")}
    return {**weights, **TRAINED, **SAMPLED, "val_interval": 1, "num_val_clips": 2}


@pytest.fixture(scope="module")
def training(name: str, work: Path, tiny: dict[str, Any]) -> Path:
    """A folder in which a tiny FEAT was trained."""
    return run_config(name, "train", work / name / "train", **tiny)


@each_bundle(*WORKFLOWS)
@pytest.mark.parametrize("inside", [True, False], ids=["at the bundle root", "elsewhere"])
def test_has_all_properties(
    name: str, config: str, inside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundle_of(name)
    monkeypatch.chdir(bundle if inside else tmp_path)
    overrides = {} if inside else {"bundle_root": str(bundle)}
    file = f"configs/{config}.json" if inside else str(bundle / "configs" / f"{config}.json")
    workflow = ConfigWorkflow(
        file, logging_file=False, workflow_type=WORKFLOWS[config], output_dir=str(tmp_path), **overrides
    )
    workflow.initialize()
    assert workflow.check_properties() == []


@each_bundle(*WORKFLOWS, *OVERLAYS)
def test_every_key_is_used(name: str, config: str) -> None:
    content = read(bundle_of(name), config)
    check_config(content)
    assert content["initialize"][1] == "$check_config()"


@pytest.mark.parametrize("name", NETWORKS, indirect=True)
def test_metadata_is_valid(name: str, tmp_path: Path) -> None:
    """MONAI would download its schema; ours has the keys that its specification makes mandatory."""
    pytest.importorskip("jsonschema")
    channels = {"type": "object", "required": ["num_channels", "spatial_shape", "dtype", "channel_def"]}
    group = {"type": "object", "minProperties": 1, "additionalProperties": channels}
    schema = {
        "type": "object",
        "required": METADATA_KEYS,
        "properties": {
            "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
            "changelog": {"type": "object", "additionalProperties": {"type": "string"}},
            "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
            "network_data_format": {
                "required": ["inputs", "outputs"],
                "properties": {"inputs": group, "outputs": group},
            },
        },
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    metadata = bundle_of(name) / "configs" / "metadata.json"
    verify_metadata(meta_file=str(metadata), filepath=str(tmp_path / "schema.json"))
    content = json.loads(metadata.read_text())
    assert content["version"] in content["changelog"]

    del content["task"]
    (tmp_path / "incomplete.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="'task' is a required property"):
        verify_metadata(meta_file=str(tmp_path / "incomplete.json"), filepath=str(tmp_path / "schema.json"))


@each_bundle("train", "inference")
@pytest.mark.parametrize("factors", [{}, {"n": 3, "p": 2}])
def test_network_keeps_to_its_metadata(name: str, config: str, factors: dict[str, int]) -> None:
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(bundle_of(name) / "configs" / "metadata.json"),
        config_file=files_of(bundle_of(name), config),
        device="cpu",
        extra_forward_args={"timesteps": 0} if name in NAMES else {},
        **factors,
    )


@each_bundle("train", "inference")
def test_monai_loads_it(name: str, config: str, tmp_path: Path) -> None:
    bundle, (kind, file) = copy_bundle(name, tmp_path / name), NETWORKS[name]
    network = load(name, bundle_dir=str(bundle.parent), source="github", device="cpu", workflow_type=config)
    assert isinstance(network, kind)
    weights = load_checkpoint(bundle / "models" / f"{file}.safetensors")
    if config == "train":  # without conditions, unless the config of the training is given some
        weights = {key: tensor for key, tensor in weights.items() if not key.startswith("conditioning.")}
    torch.testing.assert_close(network.state_dict(), weights, rtol=0, atol=0)


@pytest.mark.parametrize("name", NETWORKS, indirect=True)
def test_federated_defaults_find_it(name: str, tmp_path: Path) -> None:
    bundle = shutil.copytree(bundle_of(name), tmp_path / name, ignore=shutil.ignore_patterns("runs"))
    client = MonaiAlgo(bundle_root=str(bundle))
    client.initialize()
    assert client.trainer is not None
    assert client.evaluator is not None
    assert isinstance(client.trainer.network, NETWORKS[name][0])
    assert client.trainer.state.max_epochs == 1
    statistics = MonaiAlgoStats(bundle_root=str(bundle))
    statistics.initialize()
    assert statistics.workflow.check_properties() == []


@each_bundle(*WORKFLOWS, *OVERLAYS)
def test_names_only_declared_packages(name: str, config: str) -> None:
    found = list(targets(read(bundle_of(name), config)))
    assert found
    assert {target.split(".")[0] for target in found} <= {"monai", "monai_feat", "torch", "ignite"}


def test_configs_of_a_bundle_describe_the_same_networks(name: str) -> None:
    train, autoencoder, inference = (read(bundle_of(name), config) for config in WORKFLOWS)
    sizes = dict(inference["network_def"]["otherwise"])
    assert sizes.pop("conditions") == read(bundle_of(name), "conditioned")["conditions"]
    assert sizes.items() <= train["network_def"].items()
    shipped = FEAT.from_pretrained(bundle_of(name))
    assert sizes.items() <= shipped.arguments().items()
    assert (shipped.clips.num_frames, shipped.clips.frame_size[0]) == (train["num_frames"], train["frame_size"])
    assert (shipped.diffusion.prediction_type, shipped.diffusion.sampler) == (
        train["prediction_type"],
        train["sampler"],
    )
    assert shipped.diffusion.num_sampling_steps == train["num_sampling_steps"]
    assert train["modality"] == autoencoder["modality"] == shipped.clips.modality
    assert train["fit"] == autoencoder["fit"] == inference["fit"]
    assert train["dataset_dir"] == autoencoder["dataset_dir"] == inference["procedural"]


def test_what_was_trained_at_another_size_needs_only_its_paths(name: str, tmp_path: Path) -> None:
    small = {"network_def::hidden_size": 32, "network_def::num_layers": 1, "network_def::patch_size": 2}
    options = {**TRAINED, **small, "num_frames": 3, "num_sampling_steps": 2, "val_interval": 1}
    autoencoder = run_config(name, "train_autoencoder", tmp_path / "autoencoder", num_statistics_frames=2, **TRAINED)
    weights = {"autoencoder_weights": str(autoencoder / "autoencoder.safetensors")}
    feat = run_config(name, "train", tmp_path / "feat", **weights, **options)
    for file, entry in (("feat.safetensors", None), ("checkpoints/checkpoint_iteration=2.pt", "ema")):
        given = {**weights, "network_weights": str(feat / file)} | ({"network_entry": entry} if entry else {})
        out = run_config(name, "inference", tmp_path / "samples" / file, num_clips=1, output_format="nifti", **given)
        clip = load_clip(out / "clip_000000.nii.gz")
        assert clip.shape[1:] == (3, 32, 32)
        assert clip.meta["frame_rate"] == pytest.approx(FEAT.from_pretrained(feat).clips.frame_rate)


@pytest.mark.parametrize("file", ["feat", "autoencoder"])
def test_shipped_weights_are_small_and_fit(name: str, file: str) -> None:
    path = bundle_of(name) / "models" / f"{file}.safetensors"
    kind = {"feat": FEAT, "autoencoder": FrameAutoencoder}[file]
    assert kind.from_pretrained(path).clips == kind.from_pretrained(bundle_of(name)).clips
    assert path.stat().st_size <= 8 * 2**20


def test_autoencoder_training_leaves_its_files(autoencoder: Path) -> None:
    assert sorted(path.name for path in autoencoder.iterdir()) == [
        "autoencoder.safetensors",
        "checkpoints",
        "loss.png",
        "reconstructions.png",
        "record.json",
        "tensorboard",
        "training_source.json",
    ]
    assert [path.name for path in (autoencoder / "checkpoints").iterdir()] == ["checkpoint_iteration=2.pt"]


def test_latents_of_the_trained_autoencoder_have_unit_variance(name: str, autoencoder: Path) -> None:
    config = read(bundle_of(name), "train_autoencoder")
    parser = ConfigParser({**config, "num_statistics_frames": 2, "frame_size": TRAINED["frame_size"]})
    network = load_weights(parser.get_parsed_content("network_def"), autoencoder / "autoencoder.safetensors")
    clips = torch.stack([item["image"] for item in parser.get_parsed_content("statistics_dataset")])
    with torch.no_grad():
        mean, log_variance = network.encode_moments(clips)
    variance = mean.square().mean() + log_variance.exp().mean() - mean.mean().square()
    assert (variance * network.scale_factor.square()).item() == pytest.approx(1, abs=0.02)


def test_training_leaves_its_files(training: Path) -> None:
    found = sorted(str(path.relative_to(training)) for path in training.rglob("*") if "tfevents" not in path.name)
    assert found == [
        "checkpoints",
        "checkpoints/checkpoint_iteration=2.pt",
        "feat.safetensors",
        "feat_best.safetensors",
        "feat_early.safetensors",
        "loss.png",
        "record.json",
        "samples",
        "samples/epoch_0001.png",
        "tensorboard",
        "training_source.json",
    ]
    state = load_checkpoint(training / "checkpoints" / "checkpoint_iteration=2.pt")
    assert sorted(state) == ["ema", "lr_scheduler", "metadata", "network", "optimizer", "trainer"]
    assert state["trainer"]["iteration"] == 2
    torch.testing.assert_close(load_checkpoint(training / "feat.safetensors"), state["ema"], rtol=0, atol=0)


def test_inference_leaves_clips_and_a_sheet(name: str, training: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    weights = {
        "autoencoder_weights": tiny["autoencoder_weights"],
        "network_weights": str(training / "feat.safetensors"),
    }
    run_config(name, "inference", tmp_path, num_clips=3, first_clip=5, batch_size=2, **weights, **SAMPLED)
    files = sorted(path.name for path in tmp_path.iterdir())
    clips = ["clip_000005.mp4", "clip_000006.mp4", "clip_000007.mp4"]
    assert files == [*clips, "contact_sheet.png", "manifest.json", "record.json"]
    info = probe_video(tmp_path / files[0])
    assert (info.frames, info.height, info.width) == (4, 32, 32)


def test_long_clips_of_windows_and_other_sizes(name: str, tmp_path: Path) -> None:
    """From the shipped weights; a clip no longer than the window has the bits that it has without."""
    options: dict[str, Any] = {**SAMPLED, "num_clips": 1, "output_format": "nifti"}
    run_config(name, "inference", tmp_path / "short", **options)
    run_config(name, "inference", tmp_path / "window", **options, window=4)
    run_config(name, "inference", tmp_path / "long", **{**options, "num_frames": 11, "window": 4})
    short, window, long = (
        load_clip(tmp_path / folder / "clip_000000.nii.gz") for folder in ("short", "window", "long")
    )
    assert torch.equal(short.as_tensor(), window.as_tensor())
    assert long.shape[1] == 11
    settings = json.loads((tmp_path / "long" / "manifest.json").read_text())["settings"]
    assert (settings["window"], settings["window_stride"], settings["noise_window"]) == (4, 2, 4)
    options |= {"frame_size": 48, "num_frames": 20, "output_format": "mp4"}
    run_config(name, "inference", tmp_path / "wide", **options, **{"network_def::reference_tokens": [16, 16]})
    info = probe_video(tmp_path / "wide" / "clip_000000.mp4")
    assert (info.frames, info.height, info.width) == (20, 48, 48)


@pytest.mark.parametrize("name", NAMES[1:], indirect=True)  # the bundles differ in their data only
def test_label_channels_carry_masks_from_training_to_samples(name: str, tmp_path: Path) -> None:
    """Two of three clips have a mask; the bundle's own preprocessing crops."""
    data = tmp_path / "data"
    write_phantoms("ultrasound", data, 3, 3, size=64, num_frames=6, num_folds=2, progress=False)
    next((data / "masks").rglob("*.nii.gz")).unlink()
    options = {**TRAINED, "dataset_dir": str(data), "label_channels": 2}
    autoencoder = run_config(name, "train_autoencoder", tmp_path / "autoencoder", num_statistics_frames=2, **options)
    options |= {**SAMPLED, "autoencoder_weights": str(autoencoder / "autoencoder.safetensors")}
    feat = run_config(name, "train", tmp_path / "train", val_interval=1, **options)
    assert (feat / "samples" / "epoch_0001.png").is_file()
    options |= {"network_weights": str(feat / "feat.safetensors"), "output_format": "nifti"}
    for key in ("max_epochs", "decay_share"):
        options.pop(key, None)
    samples = run_config(name, "inference", tmp_path / "samples", **{**options, "num_clips": 1})
    assert sorted(path.name for path in samples.iterdir()) == [
        "clip_000000.nii.gz",
        "clip_000000_label.nii.gz",
        "contact_sheet.png",
        "manifest.json",
        "record.json",
    ]
    label = load_clip(samples / "clip_000000_label.nii.gz")
    assert label.shape == load_clip(samples / "clip_000000.nii.gz").shape == (1, 4, 32, 32)
    assert label.max() <= 1


@pytest.mark.parametrize("name", NAMES[:1], indirect=True)
def test_weights_without_masks_are_refused_where_masks_are_asked_for(
    name: str, tiny: dict[str, Any], tmp_path: Path
) -> None:
    message = error_of(name, "train", tmp_path, **tiny, label_channels=2)
    assert "expected clips of 3 channels, got (" in message
    assert "5, 4, 32, 32); train the autoencoder on as many image_channels and label_channels" in message


@pytest.mark.parametrize("name", NAMES[:1], indirect=True)  # the bundles differ in their data only
def test_conditions_go_from_the_config_to_the_samples(name: str, tiny: dict[str, Any], tmp_path: Path) -> None:
    """Killed and resumed with the same bits; the weights know what they can be asked for."""
    kinds = "monai_feat.conditions"
    conditions = [
        {"_target_": f"{kinds}.ScalarCondition", "name": "speed_mm_per_s", "minimum": 4, "maximum": 20},
        {"_target_": f"{kinds}.ClassCondition", "name": "polyp_present", "num_classes": 2},
        {"_target_": f"{kinds}.FirstFramesCondition", "max_frames": 2},
        {"_target_": f"{kinds}.MaskCondition", "num_labels": 2},
    ]
    shipped = str(bundle_of(name) / "models" / "feat.safetensors")
    options = {**tiny, "conditions": conditions, "network_weights": shipped}
    parts = run_config(name, "train", tmp_path / "parts", **options)
    run_config(name, "train", parts, **{**options, "max_epochs": 2, "resume_from": "last"})
    whole = run_config(name, "train", tmp_path / "whole", **{**options, "max_epochs": 2})
    one, other = (load_checkpoint(folder / "checkpoints" / "checkpoint_iteration=4.pt") for folder in (whole, parts))
    torch.testing.assert_close(other["network"], one["network"], rtol=0, atol=0)
    assert one["network"]["conditioning.blocks.polyp_present.table.weight"].any()

    options = {**SAMPLED, "autoencoder_weights": tiny["autoencoder_weights"], "num_clips": 2}
    options |= {"network_weights": str(whole / "feat.safetensors"), "output_format": "latents", "guidance_scale": 2}
    prompts = {"speed_mm_per_s": [5, 18], "polyp_present": 1}
    asked = run_config(name, "inference", tmp_path / "asked", **options, prompts=prompts)
    without = run_config(name, "inference", tmp_path / "without", **options)
    latents = [load_checkpoint(folder / "clip_000000.safetensors")["latent"] for folder in (asked, without)]
    assert not torch.equal(*latents)
    given = tmp_path / "given.mp4"
    write_mp4(torch.full((3, 2, 32, 32), 90, dtype=torch.uint8), given, frame_rate=10)
    starts = [
        load_checkpoint(
            run_config(
                name, "inference", tmp_path / f"kept_{keep}_{seed}", **options, seed=seed,
                keep_first_frames=keep, prompts={"first_frames": str(given)},
            ) / "clip_000000.safetensors"
        )["latent"][:, :2]
        for keep in (True, False) for seed in (0, 1)
    ]  # fmt: skip
    torch.testing.assert_close(starts[0], starts[1], rtol=1e-3, atol=1e-3)
    assert (starts[2] - starts[3]).abs().max() > 0.1
    assert "4 to 20), polyp_present (a class from 0 to 1), first_frames (1 to 2 frames), label (masks" in error_of(
        name, "inference", tmp_path, **options, prompts={"depth": 3}
    )
    assert "speed_mm_per_s: 21 was asked for; it takes a number from 4 to 20" in error_of(
        name, "inference", tmp_path, **options, prompts={"speed_mm_per_s": 21}
    )
    assert "speed_mm_per_s: not what this network was trained for; it takes polyp_present" in error_of(
        name, "inference", tmp_path, **{**options, "network_weights": shipped}, prompts={"speed_mm_per_s": 5}
    )


@pytest.fixture(scope="module")
def diffused(name: str, work: Path, tiny: dict[str, Any]) -> Path:
    """A folder in which a tiny FEAT was trained by diffusion, as published, without interruption."""
    return run_config(name, "diffusion", work / name / "diffusion", **{**tiny, "max_epochs": 2})


@pytest.mark.parametrize("name", NAMES[:1], indirect=True)  # the bundles differ in their data only
def test_diffusion_resumes_and_knows_its_samplers(
    name: str, diffused: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    """Resumed with the same bits; what comes takes its own sampler where none is named, and refuses others."""
    parts = run_config(name, "diffusion", tmp_path / "parts", **tiny)
    run_config(name, "diffusion", parts, **{**tiny, "max_epochs": 2, "resume_from": "last"})
    one, other = (load_checkpoint(folder / "checkpoints" / "checkpoint_iteration=4.pt") for folder in (diffused, parts))
    for part in ("network", "ema", "optimizer", "lr_scheduler"):
        torch.testing.assert_close(other[part], one[part], rtol=0, atol=0)

    options = {**SAMPLED, "autoencoder_weights": tiny["autoencoder_weights"], "num_clips": 1}
    options |= {"network_weights": str(diffused / "feat.safetensors"), "output_format": "latents"}
    samples = run_config(name, "inference", tmp_path / "samples", **options)
    settings = json.loads((samples / "manifest.json").read_text())["settings"]
    assert (settings["scheduler"], settings["prediction_type"]) == ("RespacedMultistepScheduler", "v_prediction")
    message = error_of(name, "inference", tmp_path, sampler="rectified_flow", **options)
    assert "predicts 'v_prediction', which goes with ddpm, ddim, multistep" in message


@pytest.mark.parametrize("name", NAMES[:1], indirect=True)  # the bundles differ in their data only
def test_the_sampler_is_a_key(name: str, diffused: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    options = {**SAMPLED, "autoencoder_weights": tiny["autoencoder_weights"], "num_clips": 1}
    options |= {"network_weights": str(diffused / "feat.safetensors"), "output_format": "latents"}
    options["num_sampling_steps"] = 3
    clips = []
    for sampler, scheduler in (("ddpm", "DDPM"), ("ddim", "DDIM"), ("multistep", "Multistep")):
        folder = run_config(name, "inference", tmp_path / sampler, sampler=sampler, **options)
        clips.append(load_checkpoint(folder / "clip_000000.safetensors")["latent"])
        settings = json.loads((folder / "manifest.json").read_text())["settings"]
        assert (settings["scheduler"], settings["num_sampling_steps"]) == (f"Respaced{scheduler}Scheduler", 3)
    assert not any(torch.allclose(clip, other) for clip, other in combinations(clips, 2))
    message = error_of(name, "inference", tmp_path, sampler="euler", **options)
    assert "'euler', expected one of ddpm, ddim, multistep, rectified_flow" in message
    with pytest.raises(RuntimeError) as error:
        run_config(name, "inference", tmp_path / "ddim", sampler="multistep", **options)
    assert "scheduler: RespacedDDIMScheduler there, RespacedMultistepScheduler now" in message_of(error.value)


def test_sampling_goes_on_where_it_was_stopped(name: str, training: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    weights = {
        "autoencoder_weights": tiny["autoencoder_weights"],
        "network_weights": str(training / "feat.safetensors"),
    }
    options = {"batch_size": 2, "output_format": "latents", **weights, **SAMPLED}
    whole = run_config(name, "inference", tmp_path / "whole", num_clips=3, **options)
    for _ in range(2):  # the first adds what is missing, the second finds nothing to do
        parts = run_config(name, "inference", tmp_path / "parts", num_clips=2, first_clip=1, **options)
        run_config(name, "inference", parts, num_clips=3, **options)
    for file in whole.glob("clip_*"):
        torch.testing.assert_close(load_checkpoint(parts / file.name), load_checkpoint(file), rtol=1e-5, atol=1e-5)
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (parts, whole)]
    assert manifests[0] == manifests[1]
    record = json.loads((parts / "record.json").read_text())
    assert [run["config"]["num_clips"] for run in (*record["earlier"], record)] == [2, 3]
    assert record["metrics"] == {"clips": 3}
    with pytest.raises(Exception, match=r".") as error:
        run_config(name, "inference", parts, num_clips=3, seed=8, **options)
    assert "seed: 0 there, 8 now" in message_of(error.value)


def test_a_resumed_training_has_the_bits_of_an_uninterrupted_one(
    name: str, training: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    whole = run_config(name, "train", tmp_path / "whole", **{**tiny, "max_epochs": 2})
    shutil.copytree(training / "checkpoints", tmp_path / "parts" / "checkpoints")
    parts = run_config(name, "train", tmp_path / "parts", **{**tiny, "max_epochs": 2, "resume_from": "last"})
    one, other = (load_checkpoint(folder / "checkpoints" / "checkpoint_iteration=4.pt") for folder in (whole, parts))
    for part in ("network", "ema", "optimizer", "lr_scheduler"):
        torch.testing.assert_close(other[part], one[part], rtol=0, atol=0)


def test_adversarial_training_resumes_with_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = {**TRAINED, "num_statistics_frames": 2, "max_epochs": 2, "resume_from": "last"}
    whole = run_config(name, "adversarial", tmp_path / "whole", **overrides)
    prepare, batches = ReconstructionPrepareBatch.__call__, []

    def die_in_the_second_epoch(self: Any, *args: Any, **kwargs: Any) -> Any:
        batches.append(None)
        if len(batches) == 4:
            raise MemoryError("killed")
        return prepare(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(ReconstructionPrepareBatch, "__call__", die_in_the_second_epoch)
        with pytest.raises(RuntimeError) as error:
            run_config(name, "adversarial", tmp_path / "parts", **overrides)
    assert "killed" in message_of(error.value)
    parts = run_config(name, "adversarial", tmp_path / "parts", **overrides)
    one, other = (load_checkpoint(folder / "checkpoints" / "checkpoint_iteration=4.pt") for folder in (whole, parts))
    parts_of_it = ["discriminator_optimizer", "loss", "lr_scheduler", "metadata", "network", "optimizer", "trainer"]
    assert sorted(one) == parts_of_it
    for part in set(one) - {"trainer", "metadata"}:
        torch.testing.assert_close(other[part], one[part], rtol=0, atol=0)


def test_resume_continues(name: str, training: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    checkpoint = training / "checkpoints" / "checkpoint_iteration=2.pt"
    run_config(name, "train", tmp_path, **{**tiny, "max_epochs": 2, "resume_from": str(checkpoint)})
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint_iteration=4.pt"]
    before, after = load_checkpoint(checkpoint), load_checkpoint(tmp_path / "checkpoints" / "checkpoint_iteration=4.pt")
    assert (before["trainer"]["iteration"], after["trainer"]["iteration"]) == (2, 4)
    steps = [{int(entry["step"]) for entry in state["optimizer"]["state"].values()} for state in (before, after)]
    assert steps == [{2}, {4}]


def test_autoencoder_training_resumes(name: str, autoencoder: Path, tmp_path: Path) -> None:
    checkpoint = autoencoder / "checkpoints" / "checkpoint_iteration=2.pt"
    overrides = {**TRAINED, "num_statistics_frames": 2, "max_epochs": 2, "resume_from": str(checkpoint)}
    run_config(name, "train_autoencoder", tmp_path, **overrides)
    assert load_checkpoint(tmp_path / "checkpoints" / "checkpoint_iteration=4.pt")["trainer"]["iteration"] == 4


@pytest.mark.parametrize("name", NAMES[:1], indirect=True)  # the bundles differ in their data only
@pytest.mark.parametrize(
    "options",
    [
        {"precision": "bfloat16", "network_def::use_checkpoint": True},
        {"accumulation_steps": 2},
        {"max_seconds": 0.01, "max_epochs": 9},
        {"val_interval": None},
    ],
)
def test_training_takes_options(tiny: dict[str, Any], name: str, options: dict[str, Any], tmp_path: Path) -> None:
    run_config(name, "train", tmp_path, **{**tiny, **options})
    last = 1 if "max_seconds" in options else 2
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [f"checkpoint_iteration={last}.pt"]


def test_adversarial_overlay_trains_the_discriminator(name: str, tmp_path: Path) -> None:
    overrides = {
        "bundle_root": str(bundle_of(name)),
        "output_dir": str(tmp_path),
        "num_statistics_frames": 2,
        **TRAINED,
    }
    workflow = ConfigWorkflow(
        files_of(bundle_of(name), "adversarial"), logging_file=False, workflow_type="train", **overrides
    )
    workflow.initialize()
    discriminator = workflow.parser.get_parsed_content("discriminator")
    before = {key: value.clone() for key, value in discriminator.state_dict().items()}
    workflow.run()
    after = discriminator.state_dict()
    assert all((after[key] != before[key]).any() for key in before if key.endswith("weight"))


def test_evaluation_draws_a_sheet(name: str, tiny: dict[str, Any], tmp_path: Path) -> None:
    run_config(name, "evaluate", tmp_path, **tiny)
    assert (tmp_path / "samples" / "epoch_0001.png").is_file()


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    for i in range(2):
        write_mp4(torch.randint(0, 256, (3, 8, 32, 32), dtype=torch.uint8), folder / f"{i}.mp4", 10.0)
    return folder


def error_of(name: str, config: str, folder: Path, **overrides: Any) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - MONAI wraps in errors of its own
        run_config(name, config, folder / "output", **overrides)
    return message_of(caught.value)


@pytest.mark.parametrize("name", NAMES[:1], indirect=True)  # the bundles differ in their data only
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"lerning_rate": 1}, "'lerning_rate' (did you mean 'learning_rate'?). Valid ones: "),
        ({"train::datloader": 1}, "'train::datloader' (did you mean 'train::dataloader'?)"),
        ({"clips::frames": 8}, "clips (monai_feat.data.open_clips) does not take these arguments: 'frames'"),
        ({"frame_size": 36}, "multiple of the patch size 2"),
        ({"frame_size": 34}, "frames of 34×34 pixels are cut off by the autoencoder"),
        ({"dataset_dir": "no/such/folder"}, "no/such/folder: no such folder"),
        ({"num_frames": 9}, "has 8 frames; 9 are needed"),
        ({"on_nonfinite": "ignore"}, "must be 'stop' or 'skip', got 'ignore'"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_bad_input_gets_a_clear_error(
    name: str, tiny: dict[str, Any], videos: Path, overrides: dict[str, Any], message: str
) -> None:
    assert message in error_of(name, "train", videos, **{**tiny, "dataset_dir": str(videos), **overrides})


def test_weights_of_another_network_get_a_clear_error(name: str, tiny: dict[str, Any], tmp_path: Path) -> None:
    wrong = tiny["autoencoder_weights"]
    for config, key in (("train", "network_weights"), ("inference", "network_weights")):
        overrides = {key: wrong} if config == "inference" else {**tiny, key: wrong}
        assert f"{wrong}: is of a FrameAutoencoder, expected a FEAT" in error_of(name, config, tmp_path, **overrides)
    assert "A file of weights alone starts a training" in error_of(name, "train", tmp_path, **tiny, resume_from=wrong)


def test_a_folder_without_clips_gets_a_clear_error(name: str, tiny: dict[str, Any], tmp_path: Path) -> None:
    for config in ("train", "train_autoencoder"):
        overrides = {key: value for key, value in tiny.items() if key in TRAINED}
        message = error_of(name, config, tmp_path, **overrides, dataset_dir=str(tmp_path))
        assert f"{tmp_path}: no clips in this folder or below" in message


def test_a_truncated_video_stops_or_is_skipped(
    name: str, tiny: dict[str, Any], videos: Path, recwarn: pytest.WarningsRecorder
) -> None:
    broken = videos / "1.mp4"
    broken.write_bytes(broken.read_bytes()[:2000])
    overrides = {**tiny, "dataset_dir": str(videos)}
    assert f"{broken}: " in error_of(name, "train", videos, **overrides)
    with pytest.warns(UserWarning, match=r"1 of 2 files were skipped"):
        run_config(name, "train", videos / "output", **overrides, on_bad="skip")
    assert (videos / "output" / "feat.safetensors").is_file()


def test_nan_weights_are_never_saved(name: str, tiny: dict[str, Any], tmp_path: Path) -> None:
    """An infinite learning rate breaks the weights in the first step, which the second notices."""
    message = error_of(name, "train", tmp_path, **tiny, learning_rate=1e30, warmup_steps=1)
    assert "iteration 2: loss" in message
    assert not list(tmp_path.rglob("*.safetensors"))


def test_the_command_line_refuses_a_mistyped_key(tmp_path: Path) -> None:
    bundle = bundle_of(NAMES[0])
    command = [
        sys.executable,
        "-m",
        "monai.bundle",
        "run",
        "--config_file",
        "configs/train.json",
        "--lerning_rate",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=bundle, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "error: the config has keys that nothing uses: 'lerning_rate' (did you mean 'learning_rate'?)"
    )
    assert "Traceback" not in done.stderr
