# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import run
from monai.networks.nets import AutoencoderKL
from torch import nn

import monai_feat
from monai_feat import ClipGenerator
from monai_feat.checkpoints import CheckpointError, ClipFormat, Diffusion
from monai_feat.conditions import ClassCondition, ScalarCondition
from monai_feat.data import load_clip
from monai_feat.networks.nets import FEAT, FEAT_PRESETS, FrameAutoencoder

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
CLIPS = ClipFormat("ultrasound", 1, num_frames=3, frame_size=(16, 24), frame_rate=12.5, label_channels=2)
DIFFUSION = Diffusion("v_prediction", "multistep", num_sampling_steps=2)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def tiny(folder: Path, clips: ClipFormat = CLIPS, latent_channels: int = 4) -> ClipGenerator:
    torch.manual_seed(0)
    conditions = [ClassCondition("view", 3), ScalarCondition("depth", 4, 20)]
    network = FEAT(in_channels=4, conditions=conditions, **FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    channels = clips.image_channels + clips.label_channels
    autoencoder = AutoencoderKL(
        2, channels, channels, (1, 1), (4, 4), (False, False), latent_channels, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    network.save_pretrained(folder, clips, DIFFUSION)
    FrameAutoencoder(autoencoder).save_pretrained(folder, clips)
    return ClipGenerator.from_pretrained(folder)


@pytest.mark.parametrize("name", ["feat_endoscopy", "feat_ultrasound"])
def test_clips_are_those_of_the_inference_config_to_the_bit(name: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"bundle_root": str(BUNDLES / name), "output_dir": str(tmp_path), "seed": 7}
    config = str(BUNDLES / name / "configs" / "inference.json")
    run(config_file=config, logging_file=False, num_clips=2, output_format="nifti", **options)
    clips = ClipGenerator.from_pretrained(BUNDLES / name).sample(num_clips=2, seed=7)
    assert [clip.index for clip in clips] == [0, 1]
    for clip in clips:
        written = load_clip(tmp_path / f"clip_{clip.index:06d}.nii.gz")
        assert clip.frames.dtype == torch.uint8
        assert torch.equal(clip.frames, written.as_tensor())
        assert clip.frame_rate == pytest.approx(written.meta["frame_rate"])
        assert (clip.mask, clip.attributes) == (None, {})


def test_masks_and_attributes_come_with_the_clips(tmp_path: Path) -> None:
    generator = tiny(tmp_path)
    clips = generator.sample(3, seed=1, prompts={"view": 2, "depth": [5, 18.5]}, guidance_scale=2)
    assert [clip.attributes for clip in clips] == [{"view": 2, "depth": depth} for depth in (5, 18.5, 5)]
    for clip in clips:
        assert clip.frames.shape == (1, 3, 16, 24)
        assert clip.mask is not None
        assert (clip.mask.shape, clip.mask.dtype) == ((1, 3, 16, 24), torch.uint8)
        assert clip.frame_rate == 12.5
    without = generator.sample(3, seed=1)
    assert not torch.equal(without[0].frames, clips[0].frames)
    assert [condition.name for condition in generator.conditions] == ["view", "depth"]


def test_masks_that_are_asked_for_come_with_the_clips() -> None:
    generator = ClipGenerator.from_pretrained(BUNDLES / "feat_ultrasound")
    options: dict[str, Any] = {"num_frames": 2, "num_sampling_steps": 2, "autoguidance_scale": 1.0}
    clips = generator.sample(2, seed=1, prompts={"label": "phantom:ultrasound"}, **options)
    for clip in clips:
        assert clip.mask is not None
        assert (clip.mask.shape, clip.mask.dtype) == ((1, 2, 64, 64), torch.uint8)
        assert set(clip.mask.unique().tolist()) == {0, 1}
        assert clip.attributes == {"label": "phantom:ultrasound"}
    assert not torch.equal(clips[0].mask, clips[1].mask)  # type: ignore[arg-type]


def test_a_clip_depends_on_its_seed_and_index_alone(tmp_path: Path) -> None:
    generator = tiny(tmp_path)
    together = generator.sample(3, seed=1, num_frames=5, frame_size=16)
    alone = generator.sample(1, seed=1, num_frames=5, frame_size=16, first_clip=2)[0]
    other = generator.sample(1, seed=2, num_frames=5, frame_size=16, first_clip=2)[0]
    assert alone.frames.shape == (1, 5, 16, 16)
    assert (together[2].frames.int() - alone.frames.int()).abs().max() <= 1
    assert not torch.equal(other.frames, alone.frames)


def test_it_comes_back_from_its_folder(tmp_path: Path) -> None:
    generator = tiny(tmp_path / "one")
    generator.save_pretrained(tmp_path / "other")
    again = ClipGenerator.from_pretrained(tmp_path / "other")
    assert torch.equal(again.sample(seed=3)[0].frames, generator.sample(seed=3)[0].frames)


def test_what_cannot_be_sampled_is_named(tmp_path: Path) -> None:
    generator = tiny(tmp_path)
    with pytest.raises(ValueError, match="expected num_clips and batch_size >= 1, got 0 and 4"):
        generator.sample(0)
    with pytest.raises(ValueError, match="'euler', expected one of"):
        generator.sample(sampler="euler")
    with pytest.raises(ValueError, match=r"age: not what this network was trained for; it takes view \(a class"):
        generator.sample(prompts={"age": 3})
    with pytest.raises(ValueError, match="of 4 latent channels and an autoencoder of 6"):
        tiny(tmp_path / "six", latent_channels=6)
    with pytest.raises(CheckpointError, match="do not say what clips"):
        ClipGenerator(FEAT(**FEAT_PRESETS["pico"]), generator.autoencoder)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        ClipGenerator.from_pretrained("no_such_bundle")


def test_the_package_names_what_it_has_and_nothing_else() -> None:
    assert monai_feat.ClipGenerator is ClipGenerator
    with pytest.raises(AttributeError, match="has no attribute 'ClipGenerators'"):
        _ = monai_feat.ClipGenerators
