# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from monai.networks.nets import AutoencoderKL
from safetensors.torch import load_file, save_file

from evaluation.reading.latents import load_autoencoder, open_latents
from evaluation.reading.sources import SourceError, SourceOptions, open_side
from monai_feat.data import VideoReadError
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms import to_uint8

DEFINITION = {
    "_target_": "monai_feat.networks.nets.FrameAutoencoder",
    "autoencoder": {
        "_target_": "monai.networks.nets.AutoencoderKL",
        "spatial_dims": 2,
        "in_channels": 1,
        "out_channels": 1,
        "latent_channels": 2,
        "channels": [4, 4],
        "num_res_blocks": [1, 1],
        "attention_levels": [False, False],
        "norm_num_groups": 2,
        "with_encoder_nonlocal_attn": False,
        "with_decoder_nonlocal_attn": False,
    },
}


@pytest.fixture
def autoencoder() -> FrameAutoencoder:
    settings = {key: value for key, value in DEFINITION["autoencoder"].items() if key != "_target_"}  # type: ignore[attr-defined]
    return FrameAutoencoder(AutoencoderKL(**settings)).eval()


@pytest.fixture
def latents(tmp_path: Path) -> Path:
    tensors = {"many": torch.randn(3, 2, 5, 8, 8), "one": torch.randn(2, 5, 8, 8)}
    save_file(tensors, tmp_path / "latents.safetensors")
    return tmp_path / "latents.safetensors"


def test_latents_are_decoded(autoencoder: FrameAutoencoder, latents: Path) -> None:
    options = SourceOptions(num_frames=4, autoencoder=autoencoder)
    side = open_side("FAKE", str(latents), options)
    assert [r.name for r in side.recordings] == [
        f"latents.safetensors:{k}" for k in ("many[0]", "many[1]", "many[2]", "one")
    ]
    assert {(r.frames, r.size, r.codec) for r in side.recordings} == {(5, (16, 16), "latents")}
    given = load_file(latents)["many"]
    with torch.no_grad():
        expected = to_uint8(autoencoder.decode(given)[1])
    torch.testing.assert_close(
        torch.stack(list(side.recordings[1].iter_frames([1, 3], (0, 0))), 1), expected[:, [1, 3]]
    )
    assert len({r.digest for r in side.recordings}) == 4
    assert len(open_side("FAKE", str(latents.parent), options).recordings) == 4


def test_latents_need_an_autoencoder(latents: Path) -> None:
    with pytest.raises(SourceError, match="--autoencoder PATH"):
        open_side("FAKE", str(latents), SourceOptions(num_frames=4))


def test_what_is_no_latents(autoencoder: FrameAutoencoder, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.zeros(3, 4)}, path)
    with pytest.raises(VideoReadError, match=r"x has shape \(3, 4\); expected latents of one clip \(C, T, h, w\)"):
        open_latents(path, autoencoder)
    save_file({"0" * 64: torch.zeros(2, 2, 4, 8, 8)}, path)
    with pytest.raises(VideoReadError, match="expected latents"):
        open_latents(path, autoencoder)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(VideoReadError, match="truncated, damaged"):
        open_latents(path, autoencoder)
    save_file({"x": torch.full((2, 4, 8, 8), torch.nan)}, path)
    with pytest.raises(VideoReadError, match="NaN"):
        list(open_latents(path, autoencoder)[0].iter_frames([0], (0, 0)))


def test_the_autoencoder_of_a_bundle(autoencoder: FrameAutoencoder, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "configs").mkdir(parents=True)
    save_file(autoencoder.state_dict(), bundle / "weights.safetensors")
    config = {
        "imports": ["$from monai_feat.checkpoints import load_weights"],
        "bundle_root": ".",
        "definition": DEFINITION,
        "autoencoder": "$load_weights(@definition, @bundle_root + '/weights.safetensors')",
    }
    (bundle / "configs" / "inference.json").write_text(json.dumps(config))
    loaded = load_autoencoder(bundle, torch.device("cpu"))
    z = torch.randn(1, 2, 3, 8, 8)
    torch.testing.assert_close(loaded.decode(z), autoencoder.decode(z))  # type: ignore[operator]
    (bundle / "configs" / "inference.json").write_text(json.dumps({"network": 1}))
    with pytest.raises(ValueError, match=r"defines no autoencoder; it has .*network"):
        load_autoencoder(bundle, torch.device("cpu"))
