# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from monai.networks.nets import AutoencoderKL
from torch import Tensor, nn

from monai_feat.checkpoints import (
    CheckpointError,
    ClipFormat,
    Description,
    Diffusion,
    Pretrained,
    load_checkpoint,
    load_weights,
    read_description,
    save_checkpoint,
)
from monai_feat.conditions import ClassCondition, MaskCondition
from monai_feat.networks.nets import (
    FEAT,
    FEAT_PRESETS,
    ClipSegmenter,
    FrameAutoencoder,
    StableDiffusionAutoencoder,
)

ROOT = Path(__file__).resolve().parents[3]
CLIPS = ClipFormat("ultrasound", image_channels=1, num_frames=4, frame_size=(32, 48), frame_rate=12.5)
DIFFUSION = Diffusion("v_prediction", "multistep", num_sampling_steps=10)
PICO = dict(FEAT_PRESETS["pico"])


def monai_autoencoder(**changes: Any) -> AutoencoderKL:
    sizes = dict(
        spatial_dims=2, in_channels=1, out_channels=3, num_res_blocks=(1, 2), channels=(4, 8),
        attention_levels=(False, False), latent_channels=4, norm_num_groups=2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    return AutoencoderKL(**{**sizes, **changes})


MAKE: dict[str, Callable[[], Pretrained]] = {
    "feat": lambda: FEAT(in_channels=3, **PICO),
    "conditional feat": lambda: FEAT(
        conditions=[ClassCondition("view", 3), MaskCondition()], reference_tokens=(4, None), skip_filters=2, **PICO
    ),
    "autoencoder": lambda: FrameAutoencoder(monai_autoencoder(), scale_factor=0.3),
    "attentive autoencoder": lambda: FrameAutoencoder(
        monai_autoencoder(attention_levels=(True, False), with_encoder_nonlocal_attn=True, norm_eps=1e-5)
    ),
    "stable diffusion": lambda: FrameAutoencoder(
        StableDiffusionAutoencoder(channels=(8, 8), num_res_blocks=1, norm_num_groups=4), scale_factor=0.18215
    ),
    "segmenter": lambda: ClipSegmenter(1, 3, init_filters=4, num_levels=3, context="clip", num_supervised=0),
}


def randomised(network: Pretrained) -> Pretrained:
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def inputs(network: Pretrained) -> tuple[Any, ...]:
    torch.manual_seed(0)
    if isinstance(network, FEAT):
        return torch.randn(1, network.in_channels, 2, 4, 4), 7
    if isinstance(network, FrameAutoencoder):
        return torch.randn(1, network.autoencoder.encoder.in_channels, 2, 16, 16), torch.zeros(1, 4, 2, 8, 8)  # type: ignore[union-attr]
    return (torch.randn(1, 1, 3, 16, 32),)


@torch.no_grad()
def output(network: Pretrained) -> Tensor:
    made = network(*inputs(network))
    tensor: Tensor = made[0] if isinstance(made, tuple) else made
    return tensor


@pytest.mark.parametrize("name", MAKE)
def test_a_network_comes_back_from_its_folder(tmp_path: Path, name: str) -> None:
    network = randomised(MAKE[name]())
    file = network.save_pretrained(tmp_path / "new" / "folder", CLIPS, DIFFUSION)
    for source in (file, tmp_path / "new" / "folder", str(tmp_path / "new" / "folder")):
        again = type(network).from_pretrained(source)
        assert not again.training
        assert (again.clips, again.diffusion) == (CLIPS, DIFFUSION)
        torch.testing.assert_close(output(again), output(network), rtol=0, atol=0)
    torch.testing.assert_close(again.state_dict(), network.state_dict(), rtol=0, atol=0)
    assert read_description(again.save_pretrained(tmp_path / "once more")) == read_description(file)


@pytest.mark.parametrize("bundle", ["feat_endoscopy", "feat_ultrasound"])
def test_shipped_weights_say_what_they_are(bundle: str) -> None:
    folder = ROOT / "bundles" / bundle
    feat, autoencoder = FEAT.from_pretrained(folder), FrameAutoencoder.from_pretrained(folder)
    assert (feat.clips.frame_size, feat.clips.image_channels) == (
        autoencoder.clips.frame_size,
        autoencoder.clips.image_channels,
    )
    assert feat.clips.modality == bundle.removeprefix("feat_")
    assert autoencoder.latent_shape(feat.clips.num_frames, feat.clips.frame_size)[0] == feat.in_channels
    segmenter = ClipSegmenter.from_pretrained(ROOT / "bundles" / "video_segmentation")
    assert (segmenter.clips.modality, segmenter.clips.frame_size) == ("ultrasound", (64, 64))


def test_a_checkpoint_of_a_training_has_entries(tmp_path: Path) -> None:
    network = randomised(FEAT(**PICO))
    state = {"ema": network.state_dict(), "metadata": network.describe(CLIPS).to_metadata()}
    path = save_checkpoint(state, tmp_path / "checkpoint.pt")
    torch.testing.assert_close(output(FEAT.from_pretrained(path, entry="ema")), output(network), rtol=0, atol=0)
    with pytest.raises(CheckpointError, match="entry='ema'"):
        FEAT.from_pretrained(path)


def test_what_changes_no_tensor_may_be_changed(tmp_path: Path) -> None:
    path = FEAT(**PICO).save_pretrained(tmp_path)
    network = FEAT.from_pretrained(path, use_checkpoint=True, reference_tokens=[16, 4])
    assert network.use_checkpoint
    assert network.arguments()["reference_tokens"] == [16, 4]
    with pytest.raises(CheckpointError, match=rf"{path}: hidden_size is 32 in the weights and 48 in this network"):
        FEAT.from_pretrained(path, hidden_size=48)
    with pytest.raises(CheckpointError, match=r"FEAT cannot be made as described: .*depth"):
        FEAT.from_pretrained(path, depth=3)


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    path = FEAT(**PICO).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=rf"{path}: is of a FEAT, expected a ClipSegmenter"):
        ClipSegmenter.from_pretrained(path)
    with pytest.raises(CheckpointError, match="num_layers is 2 in the weights and 3 in this network"):
        load_weights(FEAT(**{**PICO, "num_layers": 3}), path)
    bare = save_checkpoint(load_checkpoint(path), tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match=r"does not say what FEAT it belongs to; .*save_pretrained"):
        FEAT.from_pretrained(bare)
    with pytest.raises(CheckpointError, match="do not say what clips they were trained on"):
        _ = FEAT.from_pretrained(path).clips


def test_a_file_that_contradicts_itself_is_named(tmp_path: Path) -> None:
    network = FrameAutoencoder(monai_autoencoder(), scale_factor=0.5)
    lie = Description("FrameAutoencoder", {**network.arguments(), "scale_factor": 2.0})
    path = save_checkpoint(network.state_dict(), tmp_path / "autoencoder.safetensors", lie.to_metadata())
    with pytest.raises(CheckpointError, match=r"contradicts itself: scale_factor is 2\.0 in the weights and 0\.5 in"):
        FrameAutoencoder.from_pretrained(path)
    other = Description("FEAT", {**FEAT(**PICO).arguments(), "patch_size": 4})
    path = save_checkpoint(FEAT(**PICO).state_dict(), tmp_path / "feat.safetensors", other.to_metadata())
    with pytest.raises(CheckpointError, match=r"of another shape: .*patch_embedding"):
        FEAT.from_pretrained(path)


def test_an_autoencoder_that_was_changed_is_not_described(tmp_path: Path) -> None:
    autoencoder = monai_autoencoder()
    autoencoder.post_quant_conv = nn.Identity()  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"cannot be made of its arguments alone; it differs in .*post_quant_conv"):
        FrameAutoencoder(autoencoder).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="cannot describe a Mine; expected AutoencoderKL or StableDiff"):
        FrameAutoencoder(type("Mine", (AutoencoderKL,), {})(2, 1, 1, (1,), (4,), (False,), 2, 2)).arguments()


def test_a_config_is_sized_by_the_weights_that_are_there(tmp_path: Path) -> None:
    path = FEAT(**{**PICO, "num_layers": 1}).save_pretrained(tmp_path)
    assert len(FEAT.for_weights(path, otherwise=PICO).layers) == 1
    assert len(FEAT.for_weights(tmp_path / "absent.safetensors", otherwise=PICO).layers) == 2
    assert len(FEAT.for_weights(path, otherwise=PICO, num_layers=3).layers) == 3
    bare = save_checkpoint(load_checkpoint(path), tmp_path / "bare.safetensors")
    assert len(FEAT.for_weights(bare, otherwise=PICO).layers) == 2


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has neither feat\.safetensors nor models/feat\.safetensors"):
        FEAT.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file or folder, seen from"):
        FEAT.from_pretrained(tmp_path / "absent.safetensors")


def test_a_repository_is_downloaded_only_when_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = randomised(FEAT(**PICO))
    hub, calls = tmp_path / "hub", []
    network.save_pretrained(hub / "models")

    def snapshot_download(repo_id: str, **options: Any) -> str:
        calls.append((repo_id, options))
        if options["local_files_only"]:
            raise huggingface_hub.errors.LocalEntryNotFoundError("not in the cache")
        return str(shutil.copytree(hub, tmp_path / "cache"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(FileNotFoundError, match=r"lab/feat: no such folder.*pass download=True to get it"):
        FEAT.from_pretrained("lab/feat")
    again = FEAT.from_pretrained("lab/feat", download=True, revision="v2")
    torch.testing.assert_close(output(again), output(network), rtol=0, atol=0)
    files = ("feat.safetensors", "feat_early.safetensors")
    wanted = [f"{folder}{file}" for folder in ("", "models/") for file in files]
    assert calls[-1] == ("lab/feat", {"revision": "v2", "allow_patterns": wanted, "local_files_only": False})


def test_nothing_is_asked_of_the_network_unless_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's own library, with an empty cache: no socket is opened."""
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="pass download=True"):
        FEAT.from_pretrained("lab/feat")
